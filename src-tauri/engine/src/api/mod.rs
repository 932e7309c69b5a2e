//! The one command table: `name(Req) → Res`.
//!
//! The window and the command line call [`call`] with a name and JSON; nothing else of the engine is reachable from a
//! page. The table also writes the page's TypeScript, so that a command that is renamed here fails to compile there.
//! Bodies are thin: parse, call one function of the engine, convert.

pub mod bindings;
pub mod wire;

mod brokers;
mod charts;
mod decoders;
mod embedded;
mod endpoint;
mod error;
mod events;
mod filters;
mod import;
mod letters;
mod listeners;
mod preview;
mod publish;
mod recordings;
mod relays;
mod sessions;
mod settings;
mod taps;
mod tokens;

pub use events::FIRST_LOOK;

use crate::Engine;
use relayscope_domain::broker::BrokerDraft;
use relayscope_domain::decode::binding::{Binding, BindingDraft};
use relayscope_domain::decode::diff::Diff;
use relayscope_domain::decode::schema::{Schema, SchemaDraft};
use relayscope_domain::endpoint::EndpointDraft;
use relayscope_domain::findings::Finding;
use relayscope_domain::publish::MessageDraft;
use relayscope_domain::relay::RelayDraft;
use relayscope_domain::settings::Settings;
use relayscope_domain::tap::TapDraft;
use relayscope_domain::token::TokenDraft;
use relayscope_domain::topic::FilterCheck;
use wire::*;

macro_rules! table {
    ($($name:literal => $handler:path, $request:ty => $response:ty;)*) => {
        /// Calls the command `name` with a JSON body.
        pub async fn call(engine: &Engine, name: &str, body: serde_json::Value) -> Result<serde_json::Value, ApiError> {
            match name {
                $($name => {
                    let request: $request = serde_json::from_value(body).map_err(|e| error::malformed(name, &e))?;
                    let response: $response = $handler(engine, request).await?;
                    serde_json::to_value(response).map_err(|e| error::malformed(name, &e))
                })*
                other => Err(error::unknown(other)),
            }
        }

        fn declare(page: &mut bindings::Page) {
            $(page.command::<$request, $response>($name);)*
        }
    };
}

table! {
    "app.info" => settings::info, Nothing => AppInfo;
    "app.blank" => settings::blank, Nothing => Blank;
    "app.regions" => settings::regions, Nothing => Vec<RegionChoice>;
    "app.status" => events::status, Nothing => StatusSnapshot;
    "settings.get" => settings::get, Nothing => SettingsView;
    "settings.save" => settings::save, Settings => SettingsView;

    "demo.start" => relays::demo_start, Nothing => DemoStatus;
    "demo.stop" => relays::demo_stop, Nothing => DemoStatus;
    "demo.remove" => relays::demo_remove, Nothing => Nothing;

    "brokers.list" => brokers::list, Nothing => Vec<BrokerView>;
    "brokers.save" => brokers::save, BrokerDraft => BrokerView;
    "brokers.delete" => brokers::delete, BrokerRequest => Nothing;
    "brokers.test" => brokers::test, TestRequest => TestReport;
    "brokers.testCancel" => brokers::test_cancel, NumberRequest => Nothing;
    "brokers.readPem" => brokers::read_pem, TextRequest => PemSummary;

    "embedded.live" => embedded::live, BrokerRequest => EmbeddedLive;
    "embedded.clients" => embedded::clients, ClientsRequest => Clients;
    "embedded.client" => embedded::client, ClientRequest => ClientDetail;
    "embedded.disconnect" => embedded::disconnect, ClientRequest => Nothing;
    "embedded.lines" => embedded::lines, LinesRequest => Vec<CommandLine>;
    "embedded.blankListener" => embedded::blank_listener, Nothing => BlankListener;
    "embedded.preview" => embedded::preview, BrokerDraft => EmbeddedPreview;
    "embedded.retained" => embedded::retained, RetainedRequest => RetainedPage;
    "embedded.retainedLook" => embedded::look_retained, RetainedChoice => RetainedLook;
    "embedded.clearRetained" => embedded::clear, ClearRequest => Cleared;
    "embedded.undoClear" => embedded::undo_clear, UndoClearRequest => LettersMoved;

    "listeners.presets" => listeners::presets, Nothing => Vec<PresetLines>;
    "listeners.port" => listeners::port, PortRequest => PortLook;

    "taps.list" => taps::list, Nothing => Vec<TapView>;
    "taps.save" => taps::save, TapDraft => TapView;
    "taps.delete" => taps::delete, TapRequest => Nothing;
    "taps.act" => taps::act, TapActionRequest => Nothing;
    "taps.live" => taps::live, TapRequest => TapLive;
    "taps.press" => taps::press, FaultRequest => Nothing;
    "taps.lift" => taps::lift, LiftRequest => Nothing;
    "findings.list" => taps::findings, FindingsRequest => Vec<Finding>;

    "tokens.list" => tokens::list, Nothing => Vec<TokenView>;
    "tokens.save" => tokens::save, TokenDraft => TokenView;
    "tokens.delete" => tokens::delete, TokenRequest => Nothing;
    "tokens.reveal" => tokens::reveal, TokenRequest => Revealed;
    "tokens.verify" => tokens::verify, TokenRequest => VerifyReport;

    "relays.list" => relays::list, Nothing => Vec<RelayView>;
    "relays.save" => relays::save, RelayDraft => RelayView;
    "relays.delete" => relays::delete, RelayRequest => Nothing;
    "relays.preview" => preview::relay, RelayDraft => RelayPreview;
    "relays.act" => relays::act, RelayActionRequest => Nothing;
    "endpoint.get" => endpoint::get, Nothing => EndpointView;
    "endpoint.save" => endpoint::save, EndpointDraft => EndpointView;
    "endpoint.reveal" => endpoint::reveal, Nothing => Revealed;
    "endpoint.renewCertificate" => endpoint::renew_certificate, Nothing => EndpointView;
    "endpoint.downlink" => endpoint::downlink, RelayRequest => DownlinkView;
    "endpoint.test" => endpoint::test, EndpointTestRequest => EndpointTestReport;
    "topics.check" => relays::check_filter, TextRequest => FilterCheck;

    "feed.open" => events::open, ViewRequest => ViewOpened;
    "feed.close" => events::close, NumberRequest => Nothing;
    "feed.rows" => events::rows, RowsRequest => Rows;
    "feed.step" => events::step, StepRequest => Option<Stepped>;
    "feed.pause" => events::pause, PauseRequest => ViewFrame;
    "feed.clear" => events::clear, NumberRequest => ViewFrame;
    "feed.event" => events::event, EventRequest => EventDetail;
    "feed.rate" => events::rate, RateRequest => RateChart;
    "feed.topics" => events::topics, TopicsRequest => TopicRows;
    "feed.connections" => events::connections, ConnectionsRequest => ConnectionRows;
    "feed.connectionRows" => events::connection_rows, ConnectionRowsRequest => TitledRows;

    "capture.folder" => recordings::folder, Nothing => CaptureFolder;
    "capture.export" => recordings::export, CaptureRequest => Exported;
    "capture.cancel" => recordings::cancel, NumberRequest => Nothing;
    "recordings.begin" => recordings::begin, RecordingDraft => RecordingView;
    "recordings.add" => recordings::add, RecordingPart => RecordingView;
    "recordings.close" => recordings::close, NumberRequest => Nothing;
    "replay.plan" => recordings::plan, ReplayRequest => ReplayPlan;
    "replay.start" => recordings::replay, ReplayStart => ReplayProgress;
    "replay.act" => recordings::act, ReplayActRequest => ReplayProgress;
    "replay.progress" => recordings::progress, NumberRequest => ReplayProgress;
    "chart.pick" => charts::pick, ChartPick => Nothing;
    "chart.add" => charts::add, ChartDraft => Nothing;
    "chart.remove" => charts::remove, ChartRemoval => Nothing;
    "chart.points" => charts::points, ChartRequest => ChartPoints;
    "chart.export" => charts::export, ChartExport => Exported;
    "chart.picture" => charts::picture, ChartPicture => Exported;

    "history.status" => events::history_status, Nothing => HistoryStatus;
    "history.search" => events::history_search, HistoryRequest => HistoryRows;
    "history.event" => events::history_event, EventRequest => EventDetail;

    "filters.read" => filters::read_line, TextRequest => FilterReading;
    "filters.edit" => filters::edit, FilterEditRequest => FilterReading;
    "filters.list" => filters::list, Nothing => Vec<SavedFilter>;
    "filters.save" => filters::save, FilterDraft => SavedFilter;
    "filters.delete" => filters::delete, FilterRequest => Nothing;

    "decode.event" => decoders::event, DecodeRequest => DecodedEvent;
    "decode.lines" => decoders::lines, PayloadLinesRequest => PayloadLines;
    "decode.copy" => decoders::copy, CopyRequest => Copied;
    "decode.save" => decoders::save, PayloadRequest => Exported;
    "decode.diff" => decoders::diff, DiffRequest => Diff;
    "decode.bindings" => decoders::bindings, Nothing => Vec<Binding>;
    "decode.saveBinding" => decoders::save_binding, BindingDraft => Binding;
    "decode.deleteBinding" => decoders::delete_binding, BindingRequest => Nothing;
    "decode.schemas" => decoders::schemas, Nothing => Vec<SchemaView>;
    "decode.schema" => decoders::schema, SchemaRequest => Schema;
    "decode.saveSchema" => decoders::save_schema, SchemaDraft => SchemaView;
    "decode.deleteSchema" => decoders::delete_schema, SchemaRequest => Nothing;

    "sessions.list" => sessions::list, Nothing => SessionsFrame;
    "sessions.open" => sessions::open, SessionDraft => SessionView;
    "sessions.add" => sessions::add, SessionFilterRequest => SessionView;
    "sessions.remove" => sessions::remove, SessionFilterRemoval => SessionView;
    "sessions.close" => sessions::close, NumberRequest => Nothing;

    "publish.check" => publish::check_message, MessageDraft => MessageCheck;
    "publish.again" => publish::again, PayloadRequest => MessageDraft;
    "publish.start" => publish::start, PublishRequest => PublishProgress;
    "publish.progress" => publish::progress, NumberRequest => PublishProgress;
    "publish.cancel" => publish::cancel, NumberRequest => PublishProgress;
    "messages.list" => publish::list, Nothing => Vec<SavedMessage>;
    "messages.save" => publish::save, SavedMessageDraft => SavedMessage;
    "messages.move" => publish::place, MessagePlace => SavedMessage;
    "messages.renameFolder" => publish::rename_folder, FolderRename => Nothing;
    "messages.delete" => publish::delete, MessageRequest => Nothing;

    "queue.letters" => letters::list, LettersRequest => Letters;
    "queue.letter" => letters::detail, LetterRequest => LetterDetail;
    "queue.editLetter" => letters::edit, LetterDraft => LetterDetail;
    "queue.rewritePayload" => letters::rewrite, RewriteRequest => PayloadDraft;
    "queue.resend" => letters::resend, LetterChoice => LettersMoved;
    "queue.discard" => letters::discard, LetterChoice => Discarded;
    "queue.undoDiscard" => letters::undo_discard, UndoRequest => LettersMoved;
    "queue.export" => letters::export, ExportRequest => Exported;
    "queue.waiting" => letters::waiting, WaitingRequest => Waiting;

    "bucket.devices" => events::bucket_devices, Nothing => Vec<BucketDevice>;
    "bucket.rows" => events::bucket_rows, BucketRequest => BucketRows;

    "import.preview" => import::preview, ImportRequest => ImportPreview;
    "import.apply" => import::apply, ImportRequest => ImportPreview;
}

/// The page's TypeScript: every type of the table and of [`Frame`], and the map of commands.
pub fn typescript() -> String {
    let mut page = bindings::Page::default();
    declare(&mut page);
    page.note::<ApiError>();
    page.frame::<Frame>();
    page.finish()
}
