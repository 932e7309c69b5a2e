//! SUBSCRIBE and UNSUBSCRIBE, written by rmqtt-codec: they are rare.

use super::{FULL, Outgoing, Stage, Unsent};
use relayscope_domain::message::Qos;
use rmqtt_codec::types::QoS;
use rmqtt_codec::{v3, v5};
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio_util::codec::Encoder as _;

impl Outgoing {
    pub(in super::super) fn subscribe(
        &mut self,
        filters: &[(Arc<str>, Qos)],
        resumed: bool,
        identifier: Option<NonZeroU32>,
    ) -> Result<u16, Unsent> {
        self.room(FULL)?;
        let packet_id = self.next_id(Stage::Answer);
        if self.v5 {
            let retain_handling =
                if resumed { v5::RetainHandling::AtSubscribeNew } else { v5::RetainHandling::AtSubscribe };
            let options = |qos: Qos| v5::SubscriptionOptions {
                qos: codec_qos(qos),
                no_local: false,
                // Retained messages keep their flag, so that the feed shows them as what they are.
                retain_as_published: true,
                // Shared subscriptions never get retained messages; MQTT 5.0 section 3.8.3.1.
                retain_handling,
            };
            let topic_filters = filters.iter().map(|(filter, qos)| ((&**filter).into(), options(*qos))).collect();
            self.encode_v5(v5::Packet::Subscribe(v5::Subscribe {
                packet_id,
                id: identifier,
                user_properties: vec![],
                topic_filters,
            }))?;
        } else {
            let topic_filters = filters.iter().map(|(filter, qos)| ((&**filter).into(), codec_qos(*qos))).collect();
            self.encode_v3(v3::Packet::Subscribe { packet_id, topic_filters })?;
        }
        Ok(packet_id.get())
    }

    pub(in super::super) fn unsubscribe(&mut self, filter: &str) -> Result<u16, Unsent> {
        self.room(FULL)?;
        let packet_id = self.next_id(Stage::Answer);
        let topic_filters = vec![filter.into()];
        if self.v5 {
            self.encode_v5(v5::Packet::Unsubscribe(v5::Unsubscribe {
                packet_id,
                user_properties: vec![],
                topic_filters,
            }))?;
        } else {
            self.encode_v3(v3::Packet::Unsubscribe { packet_id, topic_filters })?;
        }
        Ok(packet_id.get())
    }

    fn encode_v3(&mut self, packet: v3::Packet) -> Result<(), Unsent> {
        let before = self.buffer.len();
        let encoded = v3::Codec::new(0).encode(packet, &mut self.buffer);
        self.encoded(before, encoded)
    }

    fn encode_v5(&mut self, packet: v5::Packet) -> Result<(), Unsent> {
        let before = self.buffer.len();
        let encoded = v5::Codec::new(0, 0).encode(packet, &mut self.buffer);
        self.encoded(before, encoded)
    }

    fn encoded(&mut self, before: usize, result: Result<(), rmqtt_codec::error::EncodeError>) -> Result<(), Unsent> {
        if let Err(error) = result {
            self.buffer.truncate(before);
            return Err(Unsent::Refused(format!("This can't be written as MQTT: {error}.")));
        }
        self.put += (self.buffer.len() - before) as u64;
        Ok(())
    }
}

pub(in super::super) fn codec_qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}
