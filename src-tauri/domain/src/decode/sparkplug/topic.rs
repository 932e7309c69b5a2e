//! Topics of Sparkplug B (specification 3.0, chapter 4): `spBv1.0/group/TYPE/edge node[/device]`, `spBv1.0/STATE/host`.

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// NBIRTH.
    NodeBirth,
    /// NDEATH.
    NodeDeath,
    /// DBIRTH.
    DeviceBirth,
    /// DDEATH.
    DeviceDeath,
    /// NDATA.
    NodeData,
    /// DDATA.
    DeviceData,
    /// NCMD.
    NodeCommand,
    /// DCMD.
    DeviceCommand,
    /// STATE of a host application.
    State,
}

impl Role {
    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NodeBirth => "NBIRTH: birth of an edge node",
            Self::NodeDeath => "NDEATH: death of an edge node",
            Self::DeviceBirth => "DBIRTH: birth of a device",
            Self::DeviceDeath => "DDEATH: death of a device",
            Self::NodeData => "NDATA: data of an edge node",
            Self::DeviceData => "DDATA: data of a device",
            Self::NodeCommand => "NCMD: command to an edge node",
            Self::DeviceCommand => "DCMD: command to a device",
            Self::State => "STATE: of a host application",
        }
    }
}

/// Whom a message is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Group.
    pub group: &'a str,
    /// What for.
    pub role: Role,
    /// Edge node; of STATE the host.
    pub node: &'a str,
    /// Device, in the messages of devices.
    pub device: Option<&'a str>,
}

/// What a topic says; `None` when it is none of Sparkplug B.
pub(crate) fn parse(topic: &str) -> Option<Place<'_>> {
    let levels: Vec<&str> = topic.splitn(6, '/').collect();
    let (group, name, node, device) = match levels.as_slice() {
        ["spBv1.0", "STATE", host] => return Some(Place { group: "", role: Role::State, node: host, device: None }),
        ["spBv1.0", group, name, node] => (*group, *name, *node, None),
        ["spBv1.0", group, name, node, device] => (*group, *name, *node, Some(*device)),
        _ => return None,
    };
    let role = match (name, device.is_some()) {
        ("NBIRTH", false) => Role::NodeBirth,
        ("NDEATH", false) => Role::NodeDeath,
        ("NDATA", false) => Role::NodeData,
        ("NCMD", false) => Role::NodeCommand,
        ("DBIRTH", true) => Role::DeviceBirth,
        ("DDEATH", true) => Role::DeviceDeath,
        ("DDATA", true) => Role::DeviceData,
        ("DCMD", true) => Role::DeviceCommand,
        _ => return None,
    };
    Some(Place { group, role, node, device })
}
