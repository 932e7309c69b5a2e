// Written from Rust by `cargo xtask bindings`. Never edited.

/**
 * What a pattern allows.
 */
export type AclAccess = "read" | "write" | "readWrite";

/**
 * The rule of `/acl` in the form.
 */
export type AclDraft = { 
/**
 * Which rule.
 */
mode: AclMode, 
/**
 * With [`AclMode::Patterns`]: the patterns.
 */
patterns: Array<AclPattern>, };

/**
 * Rules of `/acl`.
 */
export type AclMode = "all" | "patterns";

/**
 * Topics, and what may be done with them.
 */
export type AclPattern = { 
/**
 * Topic filter with `%u` and `%c`.
 */
pattern: string, 
/**
 * What it allows.
 */
access: AclAccess, };

/**
 * An event that keeps its place in a list while others come and go. When it is no longer kept, the next older one has its
 * place.
 */
export type Anchor = { 
/**
 * The event.
 */
seq: number, 
/**
 * Its place in the list, from 0.
 */
index: number, };

/**
 * Why a call failed, in words that can be shown.
 */
export type ApiError = { 
/**
 * What the page does with it.
 */
code: ErrorCode, 
/**
 * What happened, why, and what to do.
 */
message: string, 
/**
 * With [`ErrorCode::Invalid`]: every problem at its field.
 */
problems: Array<Problem>, 
/**
 * With [`ErrorCode::InUse`]: the names of what uses it.
 */
users: Array<string>, };

/**
 * What the app is and where it keeps its things.
 */
export type AppInfo = { 
/**
 * Version of Relayscope.
 */
version: string, 
/**
 * Data folder.
 */
dataDir: string, 
/**
 * Log folder.
 */
logDir: string, 
/**
 * Where the data key lies, in words.
 */
keyLocation: string, 
/**
 * When this run of the app began.
 */
startedAt: number, 
/**
 * Nothing was configured and the doors were not passed yet.
 */
firstRun: boolean, 
/**
 * Notices from opening the data (a damaged file that was set aside, a copy made before a migration).
 */
notices: Array<string>, };

/**
 * A saved binding of a decoder to a topic filter.
 */
export type BindingId = string;

/**
 * A binding.
 */
export type BindingRequest = { 
/**
 * Which.
 */
id: BindingId, };

/**
 * A starting point for a form.
 */
export type Blank = { 
/**
 * A new broker.
 */
broker: BrokerDraft, 
/**
 * A new relay.
 */
relay: RelayDraft, 
/**
 * A new token.
 */
token: TokenDraft, 
/**
 * A new tap.
 */
tap: TapDraft, };

/**
 * A new listener's form.
 */
export type BlankListener = { 
/**
 * The form.
 */
listener: ListenerDraft, };

/**
 * A line that is no event.
 */
export type BrokenLine = { 
/**
 * Its number in the file, from 1.
 */
line: number, 
/**
 * Why.
 */
why: string, };

/**
 * A saved broker.
 */
export type Broker = { 
/**
 * Its identity; survives renaming.
 */
id: BrokerId, 
/**
 * What people call it; unique among brokers.
 */
name: string, 
/**
 * Where it is.
 */
spec: BrokerSpec, };

/**
 * What the broker form holds. Numbers are texts, as typed.
 */
export type BrokerDraft = { 
/**
 * `None` makes a new broker.
 */
id: BrokerId | null, 
/**
 * Name.
 */
name: string, 
/**
 * `true` for the embedded broker; then only `name`, `port`, `enabled` and `inside` count.
 */
embedded: boolean, 
/**
 * The embedded broker's settings.
 */
inside: EmbeddedDraft, 
/**
 * Whether the embedded broker runs.
 */
enabled: boolean, 
/**
 * Host.
 */
host: string, 
/**
 * Port.
 */
port: string, 
/**
 * Transport.
 */
transport: Transport, 
/**
 * WebSocket path.
 */
path: string, 
/**
 * Protocol version.
 */
version: MqttVersion, 
/**
 * Client identifier.
 */
clientId: string, 
/**
 * User name; empty sends none.
 */
username: string, 
/**
 * Password.
 */
password: SecretDraft, 
/**
 * Keep-alive, seconds.
 */
keepAlive: string, 
/**
 * Clean start.
 */
cleanStart: boolean, 
/**
 * Session expiry, seconds.
 */
sessionExpiry: string, 
/**
 * Last will, or none.
 */
will: Will | null, 
/**
 * TLS details.
 */
tls: TlsDraft, };

/**
 * A saved broker, external or embedded.
 */
export type BrokerId = string;

/**
 * How much is taken: at one listener, or at those together that have no limits of their own. `None` is no limit; a minute
 * is the last sixty seconds.
 */
export type BrokerLimits = { 
/**
 * Connections at the same time.
 */
connections: number | null, 
/**
 * New connections per minute.
 */
connectionsPerMinute: number | null, 
/**
 * Seconds from accepting a connection to its whole CONNECT.
 */
firstPacketSeconds: number, 
/**
 * Publishes taken from all clients per minute.
 */
publishesPerMinute: number | null, 
/**
 * Publishes delivered to all clients per minute.
 */
receivesPerMinute: number | null, 
/**
 * Largest packet, bytes.
 */
packetBytes: number | null, 
/**
 * Subscriptions of one client.
 */
subscriptions: number | null, 
/**
 * Bytes that may wait for one client that does not read; without a limit its broker is made to wait instead.
 */
slowReaderBytes: number | null, };

/**
 * Asks for a broker by its id.
 */
export type BrokerRequest = { 
/**
 * Which.
 */
id: BrokerId, };

/**
 * Where a broker is.
 */
export type BrokerSpec = { "kind": "embedded" } & Embedded | { "kind": "external" } & Connection;

/**
 * A saved broker at work.
 */
export type BrokerStatus = { 
/**
 * Which.
 */
id: BrokerId, 
/**
 * State: of the embedded broker itself, or of the relays' sessions with an external one.
 */
state: StateWords, 
/**
 * Where clients connect to: `127.0.0.1:1883` (embedded, the real port), or the saved address.
 */
address: string, 
/**
 * Connected clients (embedded only).
 */
clients: number | null, };

/**
 * A broker as the list and the form need it.
 */
export type BrokerView = { 
/**
 * Saved values, without secrets.
 */
broker: Broker, 
/**
 * A draft with the same values, for the form.
 */
draft: BrokerDraft, 
/**
 * Whether a password is stored.
 */
hasPassword: boolean, 
/**
 * Whether a client key is stored.
 */
hasClientKey: boolean, 
/**
 * Certificates of the stored PEM texts in words, such as `Plant Root CA · until 2031-04-02`.
 */
caSummary: string | null, 
/**
 * The same for the client certificate.
 */
clientCertSummary: string | null, 
/**
 * Names of the relays that use it.
 */
users: Array<string>, };

/**
 * Devices of the local stand-in.
 */
export type BucketDevice = { 
/**
 * Serial: last topic segment.
 */
serial: string, 
/**
 * Values stored.
 */
count: number, 
/**
 * Last variable.
 */
lastVariable: string, 
/**
 * Last value.
 */
lastValue: string, 
/**
 * When it came.
 */
lastAt: number, };

/**
 * Pages through the stored values of a device, newest first.
 */
export type BucketRequest = { 
/**
 * The device.
 */
serial: string, 
/**
 * Rows to pass over.
 */
from: number, 
/**
 * Rows to return, at most 500.
 */
count: number, };

/**
 * A stored value (TagoIO's data format).
 */
export type BucketRow = { 
/**
 * 24 hexadecimal digits.
 */
id: string, 
/**
 * Variable.
 */
variable: string, 
/**
 * Value as text.
 */
value: string, 
/**
 * Unit, when given.
 */
unit: string | null, 
/**
 * When it was stored.
 */
at: number, 
/**
 * Metadata as JSON.
 */
metadata: string, };

/**
 * Values of a device.
 */
export type BucketRows = { 
/**
 * How many there are.
 */
total: number, 
/**
 * Those asked for.
 */
rows: Array<BucketRow>, };

/**
 * Bytes `start..end`.
 */
export type ByteRange = { 
/**
 * First byte.
 */
start: number, 
/**
 * First byte past it.
 */
end: number, };

/**
 * Where files are written.
 */
export type CaptureFolder = { 
/**
 * The folder for downloads, or one beside the databases.
 */
folder: string, };

/**
 * What a file of events looks like.
 */
export type CaptureFormat = "ndjson" | "csv" | "txt" | "pcapng";

/**
 * How far an export is.
 */
export type CaptureFrame = { 
/**
 * The page's number.
 */
number: number, 
/**
 * What is being done.
 */
words: string, 
/**
 * How much of it is done.
 */
done: number, 
/**
 * Of how much.
 */
total: number, };

/**
 * Which events.
 */
export type CaptureOf = { "is": "view", 
/**
 * The view.
 */
view: number, } | { "is": "range", 
/**
 * The view.
 */
view: number, 
/**
 * Number of one end.
 */
from: number, 
/**
 * Number of the other end.
 */
to: number, } | { "is": "history", 
/**
 * The filter's line.
 */
line: string, };

/**
 * Writes events to a file. Answered when it is written; [`CaptureFrame`]s tell how far it is.
 */
export type CaptureRequest = { 
/**
 * A number made by the page; frames carry it, and `capture.cancel` takes it.
 */
number: number, 
/**
 * Which events.
 */
of: CaptureOf, 
/**
 * What the file looks like.
 */
format: CaptureFormat, 
/**
 * The folder it is written to; empty for the folder for downloads.
 */
folder: string, };

/**
 * Charts a number of all topics that a filter selects.
 */
export type ChartDraft = { 
/**
 * Topic, or topic filter.
 */
topic: string, 
/**
 * Path of the number; `$` is the payload itself.
 */
path: string, };

/**
 * Writes the values that are kept of a part of time to a file.
 */
export type ChartExport = { 
/**
 * The part of time.
 */
span: ChartSpan, };

/**
 * The chart got points.
 */
export type ChartFrame = { 
/**
 * How many values came since the start.
 */
count: number, };

/**
 * Which points a page has.
 */
export type ChartKnown = { 
/**
 * [`ChartPoints::revision`].
 */
revision: number, 
/**
 * [`ChartPoints::step`].
 */
step: number, 
/**
 * [`ChartPoints::settled`].
 */
settled: number, };

/**
 * The values of one topic.
 */
export type ChartLine = { 
/**
 * Its number, unlike all others of the chart.
 */
number: number, 
/**
 * Topic.
 */
topic: string, 
/**
 * Who saw it.
 */
source: string, 
/**
 * Values that came.
 */
count: number, 
/**
 * The newest value.
 */
last: number, 
/**
 * When it came.
 */
lastAt: number, 
/**
 * The least and the greatest value in the part of time that is looked at.
 */
range: [number, number] | null, 
/**
 * Lines of one number here show their movement on one scale.
 */
scale: number, 
/**
 * Times of points, ascending.
 */
times: Array<number>, 
/**
 * Their values; `null` interrupts the line: nothing came for long.
 */
values: Array<number | null>, };

/**
 * Charts a number of a payload: of this topic, from where this message was seen.
 */
export type ChartPick = { 
/**
 * The message's event.
 */
seq: number, 
/**
 * Path of the number: `$.sensors[2].temp`.
 */
path: string, 
/**
 * The decoder that a person chose; `None` leaves it to bindings.
 */
decoder: DecoderDraft | null, };

/**
 * Writes a picture of the chart to a file.
 */
export type ChartPicture = { 
/**
 * The PNG, as Base64.
 */
png: string, };

/**
 * The lines of the chart and their points.
 */
export type ChartPoints = { 
/**
 * Changes when points come that are older than what is settled.
 */
revision: number, 
/**
 * Length of a step.
 */
step: number, 
/**
 * Where the part of time begins.
 */
from: number, 
/**
 * Where it ends: now, or what was asked for.
 */
until: number, 
/**
 * The points given are all from here on; older ones stand as they were.
 */
since: number, 
/**
 * Points before do not change any more.
 */
settled: number, 
/**
 * What is charted, in the order in which it was asked for.
 */
series: Array<ChartSeries>, };

/**
 * What is no longer charted.
 */
export type ChartRemoval = { 
/**
 * The series; `None` takes all.
 */
series: number | null, 
/**
 * One of its lines; `None` takes the series.
 */
line: number | null, };

/**
 * Asks for points.
 */
export type ChartRequest = { 
/**
 * The part of time.
 */
span: ChartSpan, 
/**
 * Into how many steps it is divided at most, 10 to 4,000: of each step a line has its least and its greatest value.
 */
steps: number, 
/**
 * What the last answer said, when its points are still there: then only newer ones are given.
 */
known: ChartKnown | null, };

/**
 * One number that is charted, of one topic or several.
 */
export type ChartSeries = { 
/**
 * Its number.
 */
number: number, 
/**
 * Topic or topic filter.
 */
topic: string, 
/**
 * Path.
 */
path: string, 
/**
 * The relay, broker, tap or session that sees it; `None` where the first to see a topic counts.
 */
source: string | null, 
/**
 * How much of what is kept was looked through, 0 to 1.
 */
read: number, 
/**
 * Messages that had no such number.
 */
without: number, 
/**
 * Why the last of them had none.
 */
why: string | null, 
/**
 * Whether more topics match than there is room for lines.
 */
more: boolean, 
/**
 * Its lines.
 */
lines: Array<ChartLine>, };

/**
 * What part of time is looked at.
 */
export type ChartSpan = { "is": "last", 
/**
 * How many, at least 1.
 */
seconds: number, } | { "is": "all" } | { "is": "between", 
/**
 * From.
 */
from: number, 
/**
 * To.
 */
until: number, };

/**
 * Takes retained messages away: one, or all that match a filter.
 */
export type ClearRequest = { 
/**
 * The broker.
 */
id: BrokerId, 
/**
 * A topic, or a filter.
 */
filter: string, 
/**
 * Only the one of this space.
 */
space: string | null, };

/**
 * What was taken away.
 */
export type Cleared = { 
/**
 * How many.
 */
count: number, 
/**
 * In words.
 */
words: string, 
/**
 * The file that brings them back, by its name.
 */
undo: string, 
/**
 * Where it lies.
 */
path: string, };

/**
 * Whether a TLS listener asks clients for a certificate. A device token is asked for all the same.
 */
export type ClientCertificates = "off" | "optional" | "required";

/**
 * A client's page.
 */
export type ClientDetail = { 
/**
 * The client; nothing when it is not connected any more.
 */
client: ClientRow | null, 
/**
 * Its subscriptions.
 */
subscriptions: Array<ClientSubscription>, 
/**
 * Its newest events, newest first.
 */
events: Array<Row>, };

/**
 * Names one client.
 */
export type ClientRequest = { 
/**
 * The broker.
 */
id: BrokerId, 
/**
 * The client.
 */
clientId: string, };

/**
 * A connected client.
 */
export type ClientRow = { 
/**
 * Client id.
 */
clientId: string, 
/**
 * Name of its device token.
 */
token: string, 
/**
 * Where it connects from.
 */
address: string, 
/**
 * `MQTT 5`.
 */
version: string, 
/**
 * When it connected.
 */
since: number, 
/**
 * Publishes from it.
 */
messagesIn: number, 
/**
 * Their payload bytes.
 */
bytesIn: number, 
/**
 * Publishes to it.
 */
messagesOut: number, 
/**
 * Their payload bytes.
 */
bytesOut: number, 
/**
 * Filters.
 */
subscriptions: number, 
/**
 * Sent and not acknowledged.
 */
inflight: number, 
/**
 * Waiting for it.
 */
queue: number, 
/**
 * Seconds; 0 is none.
 */
keepAlive: number, 
/**
 * Its last will in words.
 */
will: string | null, 
/**
 * Whether its session stays when it goes.
 */
kept: boolean, };

/**
 * A subscription of a client.
 */
export type ClientSubscription = { 
/**
 * Filter.
 */
filter: string, 
/**
 * QoS granted.
 */
qos: number, };

/**
 * A page of the connected clients.
 */
export type Clients = { 
/**
 * How many there are with that text.
 */
total: number, 
/**
 * The page.
 */
rows: Array<ClientRow>, };

/**
 * Asks for a page of the connected clients, by client id.
 */
export type ClientsRequest = { 
/**
 * The broker.
 */
id: BrokerId, 
/**
 * What client id, token or address must contain; case does not matter. Empty selects all.
 */
text: string, 
/**
 * How many to pass over.
 */
from: number, 
/**
 * How many at most.
 */
count: number, };

/**
 * A line for a terminal or another program.
 */
export type CommandLine = { 
/**
 * What it does: `Publish with mosquitto_pub`.
 */
label: string, 
/**
 * The line.
 */
text: string, };

/**
 * How to reach an external broker, without its secrets.
 */
export type Connection = { 
/**
 * Host name or address, without scheme and port.
 */
host: string, 
/**
 * TCP port.
 */
port: number, 
/**
 * TCP, TLS, WebSocket or secure WebSocket.
 */
transport: Transport, 
/**
 * Path of the WebSocket endpoint, with its leading slash; unused otherwise.
 */
path: string, 
/**
 * Protocol version.
 */
version: MqttVersion, 
/**
 * Client identifier; two clients with the same one push each other out.
 */
clientId: string, 
/**
 * User name; `None` sends none.
 */
username: string | null, 
/**
 * Seconds; 0 switches keep-alive off.
 */
keepAlive: number, 
/**
 * Clean start (MQTT 5) or clean session (3.1.1).
 */
cleanStart: boolean, 
/**
 * Seconds that the broker keeps the session after a disconnect (MQTT 5).
 */
sessionExpiry: number, 
/**
 * Last will.
 */
will: Will | null, 
/**
 * TLS details; unused on plain transports.
 */
tls: Tls, };

/**
 * One client's life.
 */
export type ConnectionRow = { 
/**
 * Its number in the view.
 */
connection: number, 
/**
 * Where it was seen.
 */
source: string, 
/**
 * Client id.
 */
client: string, 
/**
 * How many rows it has.
 */
rows: number, 
/**
 * Its connect line, if that is still kept.
 */
begun: Row | null, 
/**
 * Its newest row.
 */
newest: Row | null, 
/**
 * Whether it ended.
 */
ended: boolean, };

/**
 * Lives of clients.
 */
export type ConnectionRows = { 
/**
 * How many there are.
 */
total: number, 
/**
 * Those asked for.
 */
rows: Array<ConnectionRow>, };

/**
 * Asks for rows of one client's life, oldest first.
 */
export type ConnectionRowsRequest = { 
/**
 * A view that looks at connections.
 */
view: number, 
/**
 * The life's number.
 */
connection: number, 
/**
 * How many older rows to pass over.
 */
from: number, 
/**
 * How many, at most 1,000.
 */
count: number, };

/**
 * Asks for lives of clients, the newest first.
 */
export type ConnectionsRequest = { 
/**
 * A view that looks at connections.
 */
view: number, 
/**
 * How many newer ones to pass over.
 */
from: number, 
/**
 * How many, at most 1,000.
 */
count: number, };

/**
 * A text to copy.
 */
export type Copied = { 
/**
 * The text.
 */
text: string, 
/**
 * What it is, in words.
 */
words: string, };

/**
 * What of a payload is copied.
 */
export type CopyForm = "shown" | "text" | "hex" | "base64" | "mosquittoPub";

/**
 * Asks for a text to copy.
 */
export type CopyRequest = { 
/**
 * The event's number.
 */
seq: number, 
/**
 * The decoder that a person chose.
 */
decoder: DecoderDraft | null, 
/**
 * What is copied.
 */
form: CopyForm, 
/**
 * Whether the number is one of the history, not of the feed.
 */
history?: boolean, };

/**
 * How correlation data is typed.
 */
export type CorrelationForm = "text" | "hex" | "base64";

/**
 * Why a payload could not be read.
 */
export type DecodeError = { 
/**
 * The decoder that gave up.
 */
decoder: string, 
/**
 * The wrappers that were opened before.
 */
layers: Array<string>, 
/**
 * Position of the mistake, from 0, in what the last layer unpacked to, or in the payload.
 */
at: number | null, 
/**
 * One sentence, with the position in words.
 */
message: string, };

/**
 * An event whose payload is to be read.
 */
export type DecodeRequest = { 
/**
 * Its number.
 */
seq: number, 
/**
 * The decoder that a person chose for this look; `None` leaves it to bindings.
 */
decoder: DecoderDraft | null, 
/**
 * Whether the number is one of the history, not of the feed.
 */
history?: boolean, };

/**
 * A payload that was read, or why it could not be.
 */
export type DecodedEvent = { 
/**
 * The decoder, and why it is this one.
 */
choice: DecoderChoice, 
/**
 * What it gave; `None` with `error`.
 */
decoded: DecodedView | null, 
/**
 * Why it gave nothing.
 */
error: DecodeError | null, 
/**
 * The first numbers in it with their paths, for charts.
 */
numbers: Array<NumberAt>, 
/**
 * The message before it of the same topic, seen at the same place, if it is kept.
 */
previous: number | null, 
/**
 * When only the beginning of the payload was kept: how many bytes.
 */
kept: number | null, };

/**
 * What a decoder gave; its text is asked for by lines.
 */
export type DecodedView = { 
/**
 * What gave the tree: the innermost decoder.
 */
decoder: string, 
/**
 * The wrappers that were opened, outermost first, in words.
 */
layers: Array<string>, 
/**
 * The tree.
 */
root: PayloadNode, 
/**
 * Nodes in the tree.
 */
shown: number, 
/**
 * Nodes in the payload.
 */
total: number, 
/**
 * What was cut, and what is odd.
 */
notes: Array<string>, };

/**
 * One way to read a payload.
 */
export type Decoder = { "kind": "json" } | { "kind": "text" } | { "kind": "hex" } | { "kind": "base64", 
/**
 * Reads what it unpacks to; without one, text is shown as text and all else as hex.
 */
inner: Decoder | null, } | { "kind": "cbor" } | { "kind": "messagePack" } | { "kind": "gzip", 
/**
 * Reads what it unpacks to; without one, text is shown as text and all else as hex.
 */
inner: Decoder | null, } | { "kind": "protobuf", 
/**
 * The uploaded schema.
 */
schema: SchemaId, 
/**
 * Full name of the message type, as `plant.Reading`.
 */
message: string, } | { "kind": "sparkplug" } | { "kind": "tagotip" };

/**
 * A saved rule: messages of these topics are read so.
 */
export type DecoderBinding = { 
/**
 * Identity.
 */
id: BindingId, 
/**
 * Topic filter; unique among bindings.
 */
filter: string, 
/**
 * How payloads are read.
 */
decoder: Decoder, };

/**
 * What the binding form holds.
 */
export type DecoderBindingDraft = { 
/**
 * `None` makes a new binding.
 */
id: BindingId | null, 
/**
 * Topic filter.
 */
filter: string, 
/**
 * Decoder.
 */
decoder: DecoderDraft, };

/**
 * Which decoder runs, and why.
 */
export type DecoderChoice = { 
/**
 * The decoder.
 */
decoder: Decoder, 
/**
 * Why.
 */
why: DecoderReason, 
/**
 * Why, in words: `bound to plant/+/temp`.
 */
words: string, };

/**
 * A decoder as it is put together.
 */
export type DecoderDraft = { 
/**
 * Which.
 */
kind: DecoderKind, 
/**
 * Of Protobuf: the schema.
 */
schema: SchemaId | null, 
/**
 * Of Protobuf: the message type.
 */
message: string, 
/**
 * Of Base64 and gzip: what reads the inside.
 */
inner: DecoderDraft | null, };

/**
 * The decoders there are.
 */
export type DecoderKind = "json" | "text" | "hex" | "base64" | "cbor" | "messagePack" | "gzip" | "protobuf" | "sparkplug" | "tagotip";

/**
 * What made the choice.
 */
export type DecoderReason = { "kind": "chosen" } | { "kind": "bound", 
/**
 * Which.
 */
id: BindingId, } | { "kind": "topic" } | { "kind": "payload" } | { "kind": "cut" };

/**
 * The demo.
 */
export type DemoStatus = { 
/**
 * Whether it was set up.
 */
present: boolean, 
/**
 * Whether its devices publish.
 */
running: boolean, 
/**
 * Its relay.
 */
relayId: RelayId | null, 
/**
 * Address of its broker.
 */
address: string | null, };

/**
 * A line of a diff.
 */
export type DiffLine = { 
/**
 * What it says.
 */
mark: DiffMark, 
/**
 * Levels it is indented.
 */
depth: number, 
/**
 * In trees the path, in bytes the offset on the side it is on (the left one when on both), in texts nothing.
 */
place: string, 
/**
 * In trees the name of the field.
 */
name: string, 
/**
 * What stands on the left; of a field with children what they are: `3 fields`.
 */
left: string | null, 
/**
 * What stands on the right.
 */
right: string | null, };

/**
 * What a line of a diff says.
 */
export type DiffMark = "same" | "changed" | "removed" | "added";

/**
 * Two events whose payloads are to be compared.
 */
export type DiffRequest = { 
/**
 * The earlier.
 */
left: number, 
/**
 * The later.
 */
right: number, 
/**
 * The decoder that a person chose for both; `None` leaves it to bindings.
 */
decoder: DecoderDraft | null, 
/**
 * Whether the numbers are those of the history, not of the feed.
 */
history?: boolean, };

/**
 * Letters that were discarded.
 */
export type Discarded = { 
/**
 * How many.
 */
count: number, 
/**
 * In words.
 */
words: string, 
/**
 * Names this discard when it is to be taken back.
 */
undo: number, 
/**
 * Until when it can be.
 */
until: number, };

/**
 * The way of downlinks to one relay.
 */
export type DownlinkView = { 
/**
 * The URL to paste into TagoIO; `None` without a downlink port.
 */
url: string | null, 
/**
 * Whether it listens, in words.
 */
listening: string, 
/**
 * Colour of it.
 */
listeningTone: Tone, 
/**
 * Who can reach it, in words, and what to do when TagoIO can't.
 */
reach: string, 
/**
 * Colour of it.
 */
reachTone: Tone, 
/**
 * What protects it, in words.
 */
protection: string, 
/**
 * Whether a bearer token is asked for.
 */
asksToken: boolean, 
/**
 * What the unsafe mode means, while it is on and counts.
 */
unsafeWords: string | null, 
/**
 * A topic that nobody uses, for the test.
 */
testTopic: string, };

/**
 * A backlog on its way out.
 */
export type DrainStatus = { 
/**
 * How much of the backlog at its highest is gone, 0 to 1.
 */
done: number, 
/**
 * Seconds until it is gone at the present rate; `None` while it does not shrink.
 */
seconds: number | null, 
/**
 * In words: `backlog gone in about 12 min`.
 */
words: string, };

/**
 * The embedded broker. Its plain TCP port is always on 127.0.0.1; listeners may be elsewhere.
 */
export type Embedded = { 
/**
 * TCP port on 127.0.0.1 that is wanted; the next free one is taken when it is in use, and shown.
 */
port: number, 
/**
 * Whether it runs.
 */
enabled: boolean, 
/**
 * Who gets what others publish.
 */
scope: TopicScope, 
/**
 * Whether it keeps retained messages.
 */
retain: RetainMode, 
/**
 * Whether sessions, their queued messages and retained messages survive a restart.
 */
persist: boolean, 
/**
 * How much it takes: at the plain port and at all listeners together that have no limits of their own.
 */
limits: BrokerLimits, 
/**
 * Where it listens besides.
 */
listeners: Array<Listener>, };

/**
 * What the form of the embedded broker holds. Numbers are texts, as typed.
 */
export type EmbeddedDraft = { 
/**
 * Who gets what others publish.
 */
scope: TopicScope, 
/**
 * Whether it keeps retained messages.
 */
retain: RetainMode, 
/**
 * Whether sessions and messages survive a restart.
 */
persist: boolean, 
/**
 * How much it takes.
 */
limits: LimitsDraft, 
/**
 * Where it listens besides.
 */
listeners: Array<ListenerDraft>, };

/**
 * An embedded broker at work.
 */
export type EmbeddedLive = { 
/**
 * Whether it runs; everything below is empty otherwise.
 */
running: boolean, 
/**
 * Where it listens.
 */
listeners: Array<ListenerLine>, 
/**
 * Connected clients.
 */
clients: number, 
/**
 * Sessions kept for clients that are away.
 */
away: number, 
/**
 * Retained messages.
 */
retained: number, 
/**
 * Publishes taken since it started.
 */
messagesIn: number, 
/**
 * Their payload bytes.
 */
bytesIn: number, 
/**
 * Publishes delivered.
 */
messagesOut: number, 
/**
 * Their payload bytes.
 */
bytesOut: number, 
/**
 * Taken per second, since the last look.
 */
rateIn: number, 
/**
 * Delivered per second.
 */
rateOut: number, 
/**
 * Connections let in.
 */
connects: number, 
/**
 * Connections refused for their token.
 */
refusals: number, 
/**
 * Connections refused by a limit.
 */
limitRefusals: number, 
/**
 * Connections cut by a limit.
 */
limitCuts: number, 
/**
 * Messages lost on the way to a client.
 */
dropped: number, 
/**
 * What was there again at the start, in words; empty when nothing was.
 */
restored: string, };

/**
 * What comes of an embedded broker's form while it is edited.
 */
export type EmbeddedPreview = { 
/**
 * What saving does to those who are connected: `Saving restarts the broker: 3 clients are disconnected.`
 */
consequence: string | null, };

/**
 * Who may ask.
 */
export type EndpointAccess = "open" | "bearer" | "clientCertificate";

/**
 * A certificate as clients see it.
 */
export type EndpointCertificate = { 
/**
 * Common name.
 */
subject: string, 
/**
 * Host names and addresses it is for.
 */
names: Array<string>, 
/**
 * First day, as `2026-11-01`.
 */
from: string, 
/**
 * Last day.
 */
until: string, 
/**
 * SHA-256 of the certificate, in pairs of hexadecimal digits.
 */
fingerprint: string, 
/**
 * The certificate itself (PEM), for clients that are to trust it.
 */
pem: string, 
/**
 * What will make clients refuse it, and what to do.
 */
warning: string | null, };

/**
 * What the endpoint's form holds.
 */
export type EndpointDraft = { 
/**
 * Where it listens.
 */
listen: Listen, 
/**
 * With [`Listen::Address`]: the address.
 */
address: string, 
/**
 * Name or address by which others reach it, or the URL of a tunnel; may be empty.
 */
public: string, 
/**
 * TLS.
 */
tls: EndpointTls, 
/**
 * PEM of the own certificate chain.
 */
certificate: string, 
/**
 * PEM of its private key.
 */
key: SecretDraft, 
/**
 * Who may ask.
 */
access: EndpointAccess, 
/**
 * The bearer token: kept, or made anew.
 */
token: SecretDraft, 
/**
 * PEM of the authorities of client certificates.
 */
clientCa: string, 
/**
 * Allows what would be refused.
 */
unsafe: boolean, 
/**
 * Requests a second of one source address.
 */
rate: string, 
/**
 * Connections at the same time.
 */
connections: string, 
/**
 * Seconds for the headers, for the body, and for the broker's acknowledgement.
 */
patience: string, 
/**
 * What `/acl` answers.
 */
acl: AclDraft, };

/**
 * All hops of a test.
 */
export type EndpointTestReport = { 
/**
 * All six, in order.
 */
steps: Array<HopStep>, 
/**
 * Whether a downlink goes through.
 */
passed: boolean, };

/**
 * Asks for a test of the way of downlinks.
 */
export type EndpointTestRequest = { 
/**
 * The relay.
 */
relayId: RelayId, 
/**
 * The topic that is published to.
 */
topic: string, };

/**
 * Where TLS comes from.
 */
export type EndpointTls = "off" | "selfSigned" | "own";

/**
 * The endpoint as its form needs it.
 */
export type EndpointView = { 
/**
 * A draft with the saved values.
 */
draft: EndpointDraft, 
/**
 * Whether a token is stored.
 */
hasToken: boolean, 
/**
 * The token, right after it was made; otherwise it is revealed when asked for.
 */
newToken: string | null, 
/**
 * Whether the key of the own certificate is stored.
 */
hasKey: boolean, 
/**
 * The stored own certificate in words.
 */
certificateSummary: string | null, 
/**
 * The stored authority of client certificates in words.
 */
clientCaSummary: string | null, 
/**
 * The certificate in use.
 */
certificate: EndpointCertificate | null, 
/**
 * What protects it, in words.
 */
protection: string, 
/**
 * What the unsafe mode means, while it is on and counts.
 */
unsafeWords: string | null, };

/**
 * Kinds of failure that the page treats differently.
 */
export type ErrorCode = "invalid" | "notFound" | "inUse" | "failed";

/**
 * Everything about one event.
 */
export type EventDetail = { 
/**
 * Its line.
 */
row: Row, 
/**
 * TagoIO's title: `[MQTT] Device publish`.
 */
title: string, 
/**
 * Packet details, label and value.
 */
fields: Array<Field>, 
/**
 * Bytes that an event carries without having published them; what was published is read by `decode.event`.
 */
payload: PayloadView | null, 
/**
 * Other events of the same message, oldest first.
 */
journey: Array<JourneyStep>, };

/**
 * One event by its number.
 */
export type EventRequest = { 
/**
 * Number.
 */
seq: number, };

/**
 * What a file of letters looks like.
 */
export type ExportFormat = "ndjson" | "csv";

/**
 * Writes letters into a file.
 */
export type ExportRequest = { 
/**
 * Which.
 */
choice: LetterChoice, 
/**
 * How.
 */
format: ExportFormat, };

/**
 * A file of letters.
 */
export type Exported = { 
/**
 * Where it lies.
 */
path: string, 
/**
 * How many letters it has.
 */
count: number, 
/**
 * In words.
 */
words: string, };

/**
 * A fault as a page asks for it.
 */
export type FaultDraft = { 
/**
 * Client id; empty is every client.
 */
client: string, 
/**
 * What is done.
 */
kind: FaultKind, 
/**
 * With [`FaultKind::Refuse`]: the reason code, hexadecimal.
 */
code: string, 
/**
 * With the others that need one: milliseconds, seconds or bytes a second.
 */
amount: string, };

/**
 * The buttons.
 */
export type FaultKind = "refuse" | "dropPubAck" | "delay" | "cut" | "stall" | "bandwidth";

/**
 * Presses a fault.
 */
export type FaultRequest = { 
/**
 * Which tap.
 */
id: TapId, 
/**
 * What, and for whom.
 */
fault: FaultDraft, };

/**
 * An active fault.
 */
export type FaultView = { 
/**
 * Its number.
 */
number: number, 
/**
 * What is done.
 */
words: string, 
/**
 * Client id; empty is every client.
 */
client: string, 
/**
 * Since when.
 */
since: number, };

/**
 * A label and a value.
 */
export type Field = { 
/**
 * Label.
 */
label: string, 
/**
 * Value.
 */
value: string, 
/**
 * Where the specification says what it is: `MQTT 5.0 §3.3.1.2`.
 */
section: string | null, };

/**
 * What is selected: whatever fulfils every term. Without terms, everything.
 */
export type Filter = { 
/**
 * In the order in which they are written.
 */
terms: Array<FilterTerm>, };

/**
 * What the relay form shows under a filter while it is typed.
 */
export type FilterCheck = { 
/**
 * What is wrong, or nothing.
 */
problem: string | null, 
/**
 * Topics that this filter matches.
 */
matches: Array<string>, 
/**
 * Near misses that it does not match.
 */
misses: Array<string>, };

/**
 * Whether a message came to us or was sent by us.
 */
export type FilterDirection = "in" | "out";

/**
 * Saves a filter.
 */
export type FilterDraft = { 
/**
 * The filter to rename or change, or `None` for a new one.
 */
id: number | null, 
/**
 * Name.
 */
name: string, 
/**
 * The filter's line.
 */
line: string, };

/**
 * A change of a filter by a click.
 */
export type FilterEdit = { "is": "toggle", 
/**
 * Field.
 */
field: FilterField, 
/**
 * One value, as it stands after the colon.
 */
value: string, } | { "is": "put", 
/**
 * Field.
 */
field: FilterField, 
/**
 * The value, as it stands after the colon.
 */
value: string, } | { "is": "mute", 
/**
 * Field.
 */
field: FilterField, 
/**
 * One value, as it is.
 */
value: string, } | { "is": "unmute", 
/**
 * Field.
 */
field: FilterField, 
/**
 * One value, as it is.
 */
value: string, } | { "is": "only", 
/**
 * Field.
 */
field: FilterField, 
/**
 * One value, as it is.
 */
value: string, } | { "is": "remove", 
/**
 * Its place in the list.
 */
term: number, };

/**
 * Changes a filter by a click.
 */
export type FilterEditRequest = { 
/**
 * The line before.
 */
line: string, 
/**
 * The click.
 */
edit: FilterEdit, };

/**
 * What stands before a colon.
 */
export type FilterField = "kind" | "source" | "name" | "dir" | "out" | "qos" | "retained" | "client" | "topic" | "message" | "size" | "since" | "until" | "word";

/**
 * How something ended.
 */
export type FilterOutcome = "ok" | "retry" | "failed" | "lost";

/**
 * A filter's line, read.
 */
export type FilterReading = { 
/**
 * The line: as it came, or after a click as it is written.
 */
line: string, 
/**
 * What it means, unless it has mistakes.
 */
filter: Filter | null, 
/**
 * The kinds it asks for: chips that are on.
 */
kinds: Array<KindName>, 
/**
 * What it leaves out: chips that can be taken away.
 */
muted: Array<MutedTerm>, 
/**
 * What is wrong, and where.
 */
mistakes: Array<Mistake>, };

/**
 * Names a saved filter.
 */
export type FilterRequest = { 
/**
 * Number.
 */
id: number, };

/**
 * One condition.
 */
export type FilterTerm = { 
/**
 * Whether the test must fail instead: `-client:sim-1`.
 */
not: boolean, 
/**
 * What is asked.
 */
test: FilterTest, };

/**
 * What is asked of an event. A list holds alternatives. What an event does not have fulfils no test.
 */
export type FilterTest = { "field": "kind", "value": Array<KindName> } | { "field": "source", "value": Array<SourceKind> } | { "field": "name", "value": Array<string> } | { "field": "direction", "value": Array<FilterDirection> } | { "field": "outcome", "value": Array<FilterOutcome> } | { "field": "qos", "value": Array<Qos> } | { "field": "retained", "value": boolean } | { "field": "client", "value": Array<string> } | { "field": "topic", "value": Array<string> } | { "field": "message", "value": Array<MessageId> } | { "field": "size", "value": SizeTest } | { "field": "since", "value": Moment } | { "field": "until", "value": Moment } | { "field": "text", "value": string } | { "field": "word", "value": string } | { "field": "regex", "value": string };

/**
 * A pattern with its evidence.
 */
export type Finding = { 
/**
 * What.
 */
kind: FindingKind, 
/**
 * The client's id.
 */
client: string, 
/**
 * Unix milliseconds of the first event.
 */
since: number, 
/**
 * Of the last.
 */
last: number, 
/**
 * How often.
 */
count: number, 
/**
 * What is the case.
 */
sentence: string, 
/**
 * What to do about it.
 */
advice: string, 
/**
 * Numbers of the newest events that show it.
 */
events: Array<number>, };

/**
 * What was found.
 */
export type FindingKind = "clientIdTwice" | "reconnectLoop" | "shortKeepAlive" | "retransmission" | "unacknowledged" | "subscribesAll" | "nobodyReceives";

/**
 * Asks for what was found, the newest first.
 */
export type FindingsRequest = { 
/**
 * At an embedded broker or a tap.
 */
source: SourceKind, 
/**
 * Its name.
 */
name: string, };

/**
 * Another name for a folder.
 */
export type FolderRename = { 
/**
 * Its name.
 */
from: string, 
/**
 * Its new name.
 */
to: string, };

/**
 * Pushed through `subscribe`; at most about 10 a second of each kind.
 */
export type Frame = { "kind": "status" } & StatusSnapshot | { "kind": "view" } & ViewFrame | { "kind": "chart" } & ChartFrame | { "kind": "sessions" } & SessionsFrame | { "kind": "publish" } & PublishProgress | { "kind": "capture" } & CaptureFrame | { "kind": "replay" } & ReplayProgress | { "kind": "testStep" } & TestStepFrame | { "kind": "config" };

/**
 * What the broker answered to one filter.
 */
export type Grant = { 
/**
 * The filter.
 */
filter: string, 
/**
 * In words.
 */
words: string, 
/**
 * Colour.
 */
tone: Tone, };

/**
 * Asks for events of the history, newest first.
 */
export type HistoryRequest = { 
/**
 * The filter's line.
 */
line: string, 
/**
 * Only events before this number: where the last answer ended.
 */
before: number | null, 
/**
 * How many, at most 1,000.
 */
count: number, };

/**
 * Events of the history.
 */
export type HistoryRows = { 
/**
 * Those found, newest first; their numbers are the history's.
 */
rows: Array<Row>, 
/**
 * From where on to go on; nothing at the end. A search may stop on its way to say how far it is.
 */
next: number | null, 
/**
 * How much of the history has been looked through, 0 to 1.
 */
looked: number, 
/**
 * When the oldest event that was looked at happened.
 */
reached: number | null, };

/**
 * The feed's history on disk.
 */
export type HistorySettings = { 
/**
 * Whether events are recorded.
 */
enabled: boolean, 
/**
 * Budget on disk, in megabytes (10 to 1,000,000).
 */
megabytes: number, 
/**
 * How many days are kept (1 to 3,650).
 */
days: number, };

/**
 * How the history stands.
 */
export type HistoryStatus = { 
/**
 * Whether events are being recorded.
 */
recording: boolean, 
/**
 * Bytes on disk.
 */
bytes: number, 
/**
 * Bytes allowed.
 */
budget: number, 
/**
 * Events kept.
 */
events: number, 
/**
 * When the oldest happened.
 */
oldest: number | null, 
/**
 * When the newest happened.
 */
newest: number | null, 
/**
 * Events of this run that could not be written before they had to make room.
 */
missed: number, 
/**
 * What a person should know: a file that was set aside, why recording ended.
 */
notice: string | null, };

/**
 * Hops of a downlink, in order.
 */
export type HopName = "listen" | "tls" | "access" | "relay" | "session" | "publish";

/**
 * One hop of the test.
 */
export type HopStep = { 
/**
 * Which.
 */
name: HopName, 
/**
 * How it ended.
 */
outcome: TestOutcome, 
/**
 * How long it took.
 */
millis: number, 
/**
 * What was found.
 */
detail: Array<string>, 
/**
 * For a failure or a warning: what to do.
 */
advice: string, };

/**
 * What an import would create.
 */
export type ImportPreview = { 
/**
 * One line each: `Broker “mqtt.plant.example” · TLS · port 8883`. Secrets as last five characters.
 */
creates: Array<string>, 
/**
 * What the file says that is taken otherwise, and why.
 */
notes: Array<string>, };

/**
 * A file to import.
 */
export type ImportRequest = { 
/**
 * Name, for messages.
 */
fileName: string, 
/**
 * Contents.
 */
text: string, };

/**
 * One step of a message's journey.
 */
export type JourneyStep = { 
/**
 * The event.
 */
seq: number, 
/**
 * Microseconds since the first step.
 */
afterMicros: number, 
/**
 * `received`, `queued`, `POST 1`…
 */
words: string, 
/**
 * What is to be said of it.
 */
detail: string, 
/**
 * Colour.
 */
tone: RowTone, };

/**
 * Kinds of events, as chips select them.
 */
export type KindGroup = "connect" | "disconnect" | "subscribe" | "unsubscribe" | "publish" | "delivery" | "error";

/**
 * Kinds of events: those of the chips, which hold several, and each by itself. The history keeps their places: new
 * ones stand last.
 */
export type KindName = "connect" | "disconnect" | "subscribe" | "unsubscribe" | "publish" | "delivery" | "error" | "connected" | "refused" | "will" | "downlink" | "queued" | "delivered" | "dry-run" | "retry" | "dead-letter" | "dropped" | "failure" | "note" | "socket" | "receive" | "ack" | "ping" | "malformed" | "limit";

/**
 * An error in plain words.
 */
export type LastError = { 
/**
 * What happened and why.
 */
message: string, 
/**
 * What to do.
 */
advice: string, 
/**
 * When.
 */
at: number, 
/**
 * Whether it still holds.
 */
current: boolean, };

/**
 * What became of every message a relay received. Always
 * `received = delivered + waiting + in_flight + dead + dropped + filtered`.
 */
export type Ledger = { 
/**
 * Messages taken from the broker.
 */
received: number, 
/**
 * Accepted by the destination.
 */
delivered: number, 
/**
 * In the queue.
 */
waiting: number, 
/**
 * Being sent right now.
 */
inFlight: number, 
/**
 * In the dead-letter box.
 */
dead: number, 
/**
 * Given up by a rule or by a person.
 */
dropped: number, 
/**
 * Left out by a rule of the mapping.
 */
filtered: number, };

/**
 * Letters that something is to be done with.
 */
export type LetterChoice = { "kind": "these", 
/**
 * Their numbers.
 */
ids: Array<number>, } | { "kind": "matching", 
/**
 * The filter.
 */
filter: LettersFilter, 
/**
 * But none with a higher number than this: nothing that came after a person looked.
 */
upto: number, 
/**
 * And not these.
 */
except: Array<number>, };

/**
 * Everything about one dead letter.
 */
export type LetterDetail = { 
/**
 * Its line.
 */
row: LetterRow, 
/**
 * The message, as its events name it.
 */
messageId: MessageId, 
/**
 * Whether its relay is still there: only then it can be sent again.
 */
relayExists: boolean, 
/**
 * The request that failed: method, address with masked secrets, head. Empty when none was kept.
 */
request: string, 
/**
 * The last answer.
 */
answer: string, 
/**
 * The payload.
 */
payload: PayloadView, 
/**
 * A form to edit it.
 */
draft: LetterDraft, };

/**
 * A dead letter's form.
 */
export type LetterDraft = { 
/**
 * Which.
 */
id: number, 
/**
 * Topic.
 */
topic: string, 
/**
 * Payload; `None` leaves it as it is, as for one that is too large for a form.
 */
payload: PayloadDraft | null, };

/**
 * A dead letter by its number.
 */
export type LetterRequest = { 
/**
 * Which.
 */
id: number, };

/**
 * A message that could not be delivered, in one line.
 */
export type LetterRow = { 
/**
 * Its number.
 */
id: number, 
/**
 * Relay's name.
 */
relay: string, 
/**
 * Topic.
 */
topic: string, 
/**
 * QoS it came with.
 */
qos: Qos, 
/**
 * Retain flag it came with.
 */
retain: boolean, 
/**
 * Bytes of the payload.
 */
size: number, 
/**
 * When it was received.
 */
receivedAt: number, 
/**
 * When it was given up.
 */
diedAt: number, 
/**
 * Why, in words.
 */
reason: string, 
/**
 * HTTP status of the last answer.
 */
status: number | null, 
/**
 * Attempts made.
 */
attempts: number, 
/**
 * Whether a person edited it.
 */
edited: boolean, 
/**
 * The payload in one line.
 */
preview: string, };

/**
 * The last answer's HTTP status.
 */
export type LetterStatus = { "kind": "code", 
/**
 * `400`.
 */
code: number, } | { "kind": "noAnswer" };

/**
 * Dead letters.
 */
export type Letters = { 
/**
 * How many the filter selects.
 */
total: number, 
/**
 * How many of those have a lower number than `before`: as long is the list that it begins.
 */
length: number, 
/**
 * The highest number that the filter selects, 0 when there is none.
 */
newest: number, 
/**
 * What was answered to the letters of this relay and text, the most frequent first.
 */
statuses: Array<StatusCount>, 
/**
 * Those asked for.
 */
letters: Array<LetterRow>, };

/**
 * Selects dead letters.
 */
export type LettersFilter = { 
/**
 * Of one relay, or of all.
 */
relayId: RelayId | null, 
/**
 * What topic, reason, answer or text payload must contain; case does not matter. Empty selects all.
 */
text: string, 
/**
 * What was answered; `None` selects all.
 */
status: LetterStatus | null, };

/**
 * What became of letters.
 */
export type LettersMoved = { 
/**
 * How many.
 */
count: number, 
/**
 * In words, what stayed included.
 */
words: string, 
/**
 * Whether some stayed.
 */
tone: Tone, };

/**
 * Asks for dead letters, newest first.
 */
export type LettersRequest = { 
/**
 * Which.
 */
filter: LettersFilter, 
/**
 * Only those with a lower number: what came later moves no rows. `None` begins with the newest.
 */
before: number | null, 
/**
 * How many of those to pass over.
 */
skip: number, 
/**
 * How many to return, at most 500.
 */
count: number, };

/**
 * Lifts a fault.
 */
export type LiftRequest = { 
/**
 * Which tap.
 */
id: TapId, 
/**
 * Which fault; all without a number.
 */
number: number | null, };

/**
 * Which limits are chosen.
 */
export type LimitsChoice = "none" | "free" | "starter" | "scale" | "own";

/**
 * The limits in the form; an empty text is no limit. Only [`LimitsChoice::Own`] reads them.
 */
export type LimitsDraft = { 
/**
 * Which.
 */
choice: LimitsChoice, 
/**
 * Connections at the same time.
 */
connections: string, 
/**
 * New connections per minute.
 */
connectionsPerMinute: string, 
/**
 * Seconds to the first packet.
 */
firstPacketSeconds: string, 
/**
 * Publishes taken per minute.
 */
publishesPerMinute: string, 
/**
 * Publishes delivered per minute.
 */
receivesPerMinute: string, 
/**
 * Largest packet, bytes.
 */
packetBytes: string, 
/**
 * Subscriptions of one client.
 */
subscriptions: string, 
/**
 * Bytes waiting for one client that does not read.
 */
slowReaderBytes: string, };

/**
 * What lines are asked for.
 */
export type LinesForm = "pretty" | "hex";

/**
 * Asks for command lines that reach a broker.
 */
export type LinesRequest = { 
/**
 * The broker.
 */
id: BrokerId, 
/**
 * A device token; nothing leaves a gap for one.
 */
tokenId: TokenId | null, 
/**
 * Whether the token stands in them in the clear: a person asked to see or copy it.
 */
reveal: boolean, };

/**
 * Where it listens, as chosen.
 */
export type Listen = "loopback" | "all" | "address";

/**
 * One more place where an embedded broker listens, besides its plain TCP port on 127.0.0.1.
 */
export type Listener = { 
/**
 * Its identity; its private key is kept under it.
 */
id: ListenerId, 
/**
 * How bytes travel.
 */
transport: Transport, 
/**
 * Address; the unspecified one is every address of this computer.
 */
address: string, 
/**
 * TCP port.
 */
port: number, 
/**
 * With TLS: the certificate chain (PEM), leaf first.
 */
certificate: string | null, 
/**
 * With TLS: whether clients show a certificate.
 */
clientCertificates: ClientCertificates, 
/**
 * With client certificates: their authorities (PEM).
 */
clientCa: string | null, 
/**
 * Its own limits, counted for it alone; without them it shares those of the broker.
 */
limits: BrokerLimits | null, };

/**
 * One listener in the form. Certificates are the contents of the chosen files.
 */
export type ListenerDraft = { 
/**
 * Its identity; the page keeps it.
 */
id: ListenerId, 
/**
 * How bytes travel.
 */
transport: Transport, 
/**
 * Where it listens.
 */
listen: Listen, 
/**
 * With [`Listen::Address`]: the address.
 */
address: string, 
/**
 * TCP port.
 */
port: string, 
/**
 * Confirms that other computers may reach it.
 */
exposed: boolean, 
/**
 * PEM of the certificate chain.
 */
certificate: string, 
/**
 * PEM of its private key.
 */
key: SecretDraft, 
/**
 * Whether clients show a certificate.
 */
clientCertificates: ClientCertificates, 
/**
 * PEM of the authorities of client certificates.
 */
clientCa: string, 
/**
 * Limits of its own; nothing shares those of the broker.
 */
limits: LimitsDraft | null, };

/**
 * A listener of an embedded broker.
 */
export type ListenerId = string;

/**
 * One place where a broker listens.
 */
export type ListenerLine = { 
/**
 * The saved listener; the plain port is none.
 */
id: ListenerId | null, 
/**
 * `TCP`, `TLS`, `WebSocket`, `Secure WebSocket`.
 */
transport: string, 
/**
 * To copy: `192.168.1.20:8883`.
 */
address: string, 
/**
 * Who reaches it: `this computer only`, `other computers too`.
 */
reach: string, 
/**
 * Why it does not listen, or what is wrong with its certificate.
 */
problem: string | null, 
/**
 * With a port that is taken: the next one that is free.
 */
free: number | null, 
/**
 * Connections its limits refused since the broker started.
 */
refused: number, 
/**
 * Connections its limits cut.
 */
cut: number, };

/**
 * How the rows of a view are arranged, besides as a list.
 */
export type Look = "feed" | "topics" | "connections";

/**
 * One topic mapping.
 */
export type Mapping = { 
/**
 * Topic filter.
 */
filter: string, 
/**
 * Quality of service asked for.
 */
qos: Qos, 
/**
 * Whether it is subscribed to.
 */
enabled: boolean, };

/**
 * What the publish form says while it is typed.
 */
export type MessageCheck = { 
/**
 * Every problem at its field.
 */
problems: Array<Problem>, 
/**
 * Where the payload's mistake stands.
 */
mistake: PayloadMistake | null, 
/**
 * Bytes of the payload, when it is one.
 */
size: number | null, };

/**
 * A message as typed.
 */
export type MessageDraft = { 
/**
 * Topic.
 */
topic: string, 
/**
 * What `payload` is.
 */
source: PayloadSource, 
/**
 * Payload as typed, or a file's bytes in Base64.
 */
payload: string, 
/**
 * With [`PayloadSource::File`]: the file's name.
 */
fileName: string, 
/**
 * Quality of service.
 */
qos: Qos, 
/**
 * Whether the broker retains it.
 */
retain: boolean, 
/**
 * MQTT 5 properties.
 */
properties: PropertiesDraft, };

/**
 * One message, from its PUBLISH to its last delivery attempt.
 */
export type MessageId = string;

/**
 * Another folder or name for a message.
 */
export type MessagePlace = { 
/**
 * Which.
 */
id: number, 
/**
 * Folder.
 */
folder: string, 
/**
 * Name.
 */
name: string, };

/**
 * Asks for a saved message.
 */
export type MessageRequest = { 
/**
 * Which.
 */
id: number, };

/**
 * What is told besides topic and QoS, as TagoIO metadata.
 */
export type Metadata = { 
/**
 * `received_at`: when it came, ISO 8601 UTC.
 */
receivedAt: boolean, 
/**
 * `message_id`: its identity here.
 */
messageId: boolean, 
/**
 * `encoding`: `text` or `hex`.
 */
encoding: boolean, 
/**
 * `retain`: the flag.
 */
retain: boolean, 
/**
 * `relay`: this relay's name.
 */
relay: boolean, };

/**
 * A mistake in a line.
 */
export type Mistake = { 
/**
 * Where it begins: characters before it, as a page counts them (UTF-16 code units).
 */
from: number, 
/**
 * Where it ends, counted in the same way.
 */
to: number, 
/**
 * What is wrong and what would be right.
 */
message: string, };

/**
 * A point in time.
 */
export type Moment = { "is": "clock", 
/**
 * Milliseconds since midnight.
 */
millis: number, } | { "is": "date", 
/**
 * Year, four digits.
 */
year: number, 
/**
 * Month, from 1.
 */
month: number, 
/**
 * Day, from 1.
 */
day: number, 
/**
 * Milliseconds since midnight.
 */
millis: number, } | { "is": "unix", 
/**
 * Since 1970.
 */
millis: number, } | { "is": "ago", 
/**
 * Milliseconds.
 */
millis: number, };

/**
 * The protocol version of a connection.
 */
export type MqttVersion = "auto" | "3.1.1" | "5";

/**
 * Something that is not wanted.
 */
export type MutedTerm = { 
/**
 * In words: `topic plant/3/noise`.
 */
words: string, 
/**
 * The click that takes it back.
 */
edit: FilterEdit, };

/**
 * A number in a payload.
 */
export type NumberAt = { 
/**
 * Its path: `$.sensors[2].temp`.
 */
path: string, 
/**
 * Its value, rounded to a double.
 */
number: number, };

/**
 * A number of a view or a test.
 */
export type NumberRequest = { 
/**
 * Which.
 */
number: number, };

/**
 * What keeps its order.
 */
export type Order = "topic" | "none";

/**
 * Pauses or resumes a view.
 */
export type PauseRequest = { 
/**
 * The view.
 */
view: number, 
/**
 * Whether it is frozen.
 */
paused: boolean, };

/**
 * The difference of two payloads.
 */
export type PayloadDiff = { 
/**
 * The lines, in order.
 */
lines: Array<DiffLine>, 
/**
 * Whether nothing differs in what was compared.
 */
same: boolean, 
/**
 * What was not compared or not shown.
 */
notes: Array<string>, };

/**
 * A payload as it is written in a form.
 */
export type PayloadDraft = { 
/**
 * How it is written.
 */
form: PayloadForm, 
/**
 * What is written.
 */
text: string, };

/**
 * How a payload is typed.
 */
export type PayloadForm = "text" | "json" | "hex" | "base64";

/**
 * What a node is.
 */
export type PayloadKind = "object" | "array" | "text" | "number" | "bool" | "null" | "bytes" | "other";

/**
 * Lines of a payload.
 */
export type PayloadLines = { 
/**
 * How many there are.
 */
total: number, 
/**
 * Those asked for.
 */
lines: Array<string>, };

/**
 * Asks for lines of a payload.
 */
export type PayloadLinesRequest = { 
/**
 * The event's number.
 */
seq: number, 
/**
 * The decoder that a person chose.
 */
decoder: DecoderDraft | null, 
/**
 * What lines.
 */
form: LinesForm, 
/**
 * Characters that a line has room for, 20 to 2,000.
 */
columns: number, 
/**
 * How many to pass over.
 */
from: number, 
/**
 * How many, at most 1,000.
 */
count: number, 
/**
 * Whether the number is one of the history, not of the feed.
 */
history?: boolean, };

/**
 * Why what was typed is no payload.
 */
export type PayloadMistake = { 
/**
 * Line, from 1.
 */
line: number, 
/**
 * Character in the line, from 1.
 */
column: number, 
/**
 * One sentence.
 */
message: string, };

/**
 * One value of a payload.
 */
export type PayloadNode = { 
/**
 * Its key, index or field; empty at the root.
 */
name: string, 
/**
 * What it adds to its parent's path: `$` at the root, `.temp`, `["a b"]`, `[2]`, `{7}` for a key that is no text.
 */
step: string, 
/**
 * What it is.
 */
kind: PayloadKind, 
/**
 * Its value, numbers as written; of objects and arrays what they hold: `3 fields`.
 */
value: string, 
/**
 * The value for charts: of numbers that a double can hold (rounded when it must be), of `true` and `false` (1 and 0),
 * and of texts that are a number and nothing else.
 */
number: number | null, 
/**
 * Where it stands, where that is known.
 */
range: ByteRange | null, 
/**
 * What is to say of it: a tag, a type, a key that stands twice.
 */
note: string | null, 
/**
 * What it holds, as far as shown.
 */
children: Array<PayloadNode>, };

/**
 * A message that was seen: to be saved as a file, or to be published again.
 */
export type PayloadRequest = { 
/**
 * Its number.
 */
seq: number, 
/**
 * Whether the number is one of the history, not of the feed.
 */
history?: boolean, };

/**
 * Where the payload comes from.
 */
export type PayloadSource = "text" | "json" | "hex" | "base64" | "file";

/**
 * A payload, decoded in the engine.
 */
export type PayloadView = { 
/**
 * Whole size.
 */
size: number, 
/**
 * Bytes shown below; less than `size` when it was cut.
 */
shown: number, 
/**
 * As text, when it is UTF-8.
 */
text: string | null, 
/**
 * As indented JSON, when it is JSON.
 */
json: string | null, 
/**
 * Offset, hexadecimal and ASCII columns.
 */
hex: string, };

/**
 * A PEM text in words.
 */
export type PemSummary = { 
/**
 * In words: `Plant Root CA · until 2031-04-02`.
 */
words: string, 
/**
 * What is wrong with it.
 */
problem: string | null, };

/**
 * What a device token allows at the embedded broker.
 */
export type Permission = "read" | "write" | "full";

/**
 * A TagoIO plan: what a profile may request per clock minute.
 *
 * Figures for `POST /data` of TagoIO's page “Rate limits and hard limits”; the network route has no row of its own.
 */
export type Plan = "unlimited" | "free" | "starter" | "scale" | "own";

/**
 * The local stand-in for TagoIO.
 */
export type PlatformStatus = { 
/**
 * Its state.
 */
state: StateWords, 
/**
 * Base address of its API, when it runs.
 */
url: string | null, 
/**
 * Values stored.
 */
stored: number, 
/**
 * Devices seen.
 */
devices: number, };

/**
 * Whether a listener could have its address.
 */
export type PortLook = { 
/**
 * Why not, as a sentence.
 */
problem: string | null, 
/**
 * With a port that is taken: the next one that is free.
 */
free: number | null, };

/**
 * Asks whether a listener could have its address.
 */
export type PortRequest = { 
/**
 * The saved broker it belongs to.
 */
brokerId: BrokerId | null, 
/**
 * The saved tap it belongs to.
 */
tapId: TapId | null, 
/**
 * Where it listens.
 */
listen: Listen, 
/**
 * With one address: which.
 */
address: string, 
/**
 * The port, as typed.
 */
port: string, };

/**
 * A preset and its numbers.
 */
export type PresetLines = { 
/**
 * Which.
 */
choice: LimitsChoice, 
/**
 * Its limits, line by line.
 */
lines: Array<string>, };

/**
 * One problem of one field.
 */
export type Problem = { 
/**
 * The field's path in the draft, in the page's spelling: `host`, `tls.ca`, `mappings.2.filter`.
 */
field: string, 
/**
 * One sentence: what is wrong and what would be right.
 */
message: string, };

/**
 * MQTT 5 properties as typed; an empty text sends none.
 */
export type PropertiesDraft = { 
/**
 * MIME type of the payload, or whatever the two sides agreed on.
 */
contentType: string, 
/**
 * Where an answer is to be sent.
 */
responseTopic: string, 
/**
 * What the answer carries again.
 */
correlation: string, 
/**
 * How that is typed.
 */
correlationForm: CorrelationForm, 
/**
 * Seconds.
 */
expiry: string, 
/**
 * Says that the payload is text in UTF-8 (Payload Format Indicator 1).
 */
utf8: boolean, 
/**
 * User properties, in their order.
 */
user: Array<UserProperty>, };

/**
 * One `.proto` text.
 */
export type ProtoFile = { 
/**
 * Name that imports give: `plant/reading.proto`.
 */
name: string, 
/**
 * The text.
 */
text: string, };

/**
 * A request and its answer.
 */
export type PublishPair = { 
/**
 * Correlation data: text, or hexadecimal when it is none.
 */
correlation: string, 
/**
 * When the request went out.
 */
at: number, 
/**
 * Milliseconds from there to the answer.
 */
took: number | null, 
/**
 * Beginning of the answer's payload.
 */
answer: string | null, 
/**
 * Bytes of it.
 */
size: number | null, 
/**
 * Whether the answer carried the correlation data; else it was taken for the oldest request.
 */
correlated: boolean, };

/**
 * How a publication stands.
 */
export type PublishProgress = { 
/**
 * Its number.
 */
number: number, 
/**
 * The broker's name.
 */
broker: string, 
/**
 * Topic.
 */
topic: string, 
/**
 * Messages to be sent.
 */
count: number, 
/**
 * Messages sent so far.
 */
sent: number, 
/**
 * Of these, written or acknowledged.
 */
taken: number, 
/**
 * Whether nothing more will happen.
 */
done: boolean, 
/**
 * What came of it, in words.
 */
words: string, 
/**
 * Whether that is good.
 */
tone: Tone, 
/**
 * Where answers are looked for.
 */
responseTopic: string | null, 
/**
 * Requests and their answers, oldest first.
 */
pairs: Array<PublishPair>, };

/**
 * A message to be published.
 */
export type PublishRequest = { 
/**
 * At which broker.
 */
brokerId: BrokerId | null, 
/**
 * Through an open session of that broker; else over a connection of its own, for this only.
 */
session: number | null, 
/**
 * The message.
 */
message: MessageDraft, 
/**
 * More than once.
 */
repeat: RepeatDraft | null, };

/**
 * Quality of service (MQTT 3.1.1 and 5.0, section 4.3).
 */
export type Qos = 0 | 1 | 2;

/**
 * A relay's queue against its budget.
 */
export type QueueUse = { 
/**
 * Bytes that wait.
 */
bytes: number, 
/**
 * Bytes that may wait.
 */
budget: number, 
/**
 * Whether the budget is used up and its rule applies.
 */
full: boolean, };

/**
 * A relay's share of the plan's clock minute.
 */
export type QuotaStatus = { 
/**
 * Requests per minute that the plan allows.
 */
limit: number, 
/**
 * Requests per minute that this relay makes at most: less the reserve, and the pace.
 */
allowance: number, 
/**
 * Requests that it made in this minute.
 */
used: number, 
/**
 * Requests that other relays of the same profile made in this minute.
 */
others: number, 
/**
 * Relays that share the plan's minute right now, this one included.
 */
relays: number, 
/**
 * When the minute ends.
 */
resetsAt: number, 
/**
 * Whether requests wait for the pace right now.
 */
pacing: boolean, 
/**
 * In words: `at this rate the limit is reached in 14 s`.
 */
words: string, };

/**
 * Rows over time.
 */
export type RateChart = { 
/**
 * When the first span begins.
 */
from: number, 
/**
 * Seconds of a span.
 */
seconds: number, 
/**
 * Rows in each span, oldest first.
 */
counts: Array<number>, 
/**
 * Of these, what went wrong: refused, failed, lost, tried again.
 */
failed: Array<number>, 
/**
 * From when on the view's filter selects rows, if it says so.
 */
since: number | null, 
/**
 * Before when.
 */
until: number | null, };

/**
 * Asks how many rows a view has in each of the last spans of time, whatever time its filter asks for.
 */
export type RateRequest = { 
/**
 * The view.
 */
view: number, 
/**
 * Seconds of a span, at least 1; `None` for as many as it takes to show everything kept.
 */
seconds: number | null, 
/**
 * How many spans up to now, at most 3,600.
 */
buckets: number, };

/**
 * Begins to read a file of events; the page sends its parts.
 */
export type RecordingDraft = { 
/**
 * The file's name.
 */
name: string, 
/**
 * Its bytes.
 */
size: number, };

/**
 * The next part of a file.
 */
export type RecordingPart = { 
/**
 * The recording.
 */
number: number, 
/**
 * Bytes, in Base64.
 */
data: string, 
/**
 * Whether nothing more comes.
 */
last: boolean, };

/**
 * Events that were read from a file, for looking at and for replay.
 */
export type RecordingView = { 
/**
 * Its number.
 */
number: number, 
/**
 * The file's name.
 */
name: string, 
/**
 * The file's bytes.
 */
size: number, 
/**
 * Bytes read.
 */
read: number, 
/**
 * Lines read, empty ones not counted.
 */
lines: number, 
/**
 * Events kept.
 */
events: number, 
/**
 * Events that the memory for a recording is too small for; the oldest are given up first.
 */
givenUp: number, 
/**
 * Lines that are no events.
 */
broken: number, 
/**
 * The first of them.
 */
brokenLines: Array<BrokenLine>, 
/**
 * Whether the whole file was read.
 */
done: boolean, };

/**
 * Where a token is valid, and with it the address of the API.
 */
export type Region = { "kind": "usE1" } | { "kind": "euW1" } | { "kind": "classic" } | { "kind": "local" } | { "kind": "own", 
/**
 * `http://` or `https://` and a host.
 */
url: string, };

/**
 * A region with its words, for choosers.
 */
export type RegionChoice = { 
/**
 * The region.
 */
region: Region, 
/**
 * In words.
 */
words: string, 
/**
 * Its address, when it has a fixed one.
 */
url: string | null, };

/**
 * A saved relay.
 */
export type Relay = { 
/**
 * Identity; the queue is kept under it.
 */
id: RelayId, 
/**
 * What people call it; unique among relays.
 */
name: string, 
/**
 * Source broker.
 */
brokerId: BrokerId, 
/**
 * What is subscribed to.
 */
mappings: Array<Mapping>, 
/**
 * Where the API is.
 */
region: Region, 
/**
 * Network token, sent as header `Authorization`.
 */
networkTokenId: TokenId, 
/**
 * Authorization, sent as `authorization_token`.
 */
authorizationId: TokenId, 
/**
 * TCP port on 127.0.0.1 for `POST /publish` (downlink); `None` listens nowhere.
 */
downlinkPort: number | null, 
/**
 * How it delivers.
 */
rules: Rules, 
/**
 * Whether it runs, now and after the next start.
 */
enabled: boolean, };

/**
 * What is done to a relay by a click.
 */
export type RelayAction = "start" | "stop" | "restart" | "pause" | "resume";

/**
 * Asks for an action on a relay.
 */
export type RelayActionRequest = { 
/**
 * Which relay.
 */
id: RelayId, 
/**
 * What.
 */
action: RelayAction, };

/**
 * What the relay editor holds. Ids are `None` until something is chosen.
 */
export type RelayDraft = { 
/**
 * `None` makes a new relay.
 */
id: RelayId | null, 
/**
 * Name.
 */
name: string, 
/**
 * Broker.
 */
brokerId: BrokerId | null, 
/**
 * Mappings.
 */
mappings: Array<Mapping>, 
/**
 * Region.
 */
region: Region, 
/**
 * Network token.
 */
networkTokenId: TokenId | null, 
/**
 * Authorization.
 */
authorizationId: TokenId | null, 
/**
 * Downlink port as typed; empty listens nowhere.
 */
downlinkPort: string, 
/**
 * How it delivers.
 */
rules: RulesDraft, 
/**
 * Enabled.
 */
enabled: boolean, };

/**
 * A relay: source broker, topic mappings, destination.
 */
export type RelayId = string;

/**
 * What comes of a relay's rules while they are edited.
 */
export type RelayPreview = { 
/**
 * How fast it may deliver: `At most 4,500 requests a minute: …`; nothing while a number can't be read.
 */
pace: string | null, 
/**
 * What to think of when choosing the plan; nothing when all is said.
 */
planAdvice: string | null, 
/**
 * What TagoIO gets for one message, as indented JSON.
 */
example: string, };

/**
 * Asks for a relay by its id.
 */
export type RelayRequest = { 
/**
 * Which.
 */
id: RelayId, };

/**
 * A relay at work.
 */
export type RelayStatus = { 
/**
 * Which.
 */
id: RelayId, 
/**
 * Its name.
 */
name: string, 
/**
 * Whether it should run.
 */
enabled: boolean, 
/**
 * The whole relay.
 */
state: StateWords, 
/**
 * Name of the source broker.
 */
brokerName: string, 
/**
 * The session with the broker.
 */
broker: StateWords, 
/**
 * A line about the session: `MQTT 5 · TLS`.
 */
brokerDetail: string, 
/**
 * How many filters are subscribed to.
 */
filters: number, 
/**
 * The destination, in words.
 */
destinationName: string, 
/**
 * The path to the destination.
 */
destination: StateWords, 
/**
 * A line about it: `p50 41 ms`.
 */
destinationDetail: string, 
/**
 * What became of every message.
 */
ledger: Ledger, 
/**
 * Unaccounted messages; not zero is a bug, shown in red.
 */
ledgerDifference: number, 
/**
 * Messages received per second, last second.
 */
rateIn: number, 
/**
 * Messages delivered per second, last second.
 */
rateOut: number, 
/**
 * Delivered per second over the last 60 seconds, oldest first.
 */
sparkline: Array<number>, 
/**
 * When the oldest waiting message was received.
 */
oldestWaitingAt: number | null, 
/**
 * Bytes that wait, and how many may.
 */
queue: QueueUse, 
/**
 * What of the plan's minute is used, when a plan or a pace is set.
 */
quota: QuotaStatus | null, 
/**
 * When the backlog will be gone, while there is one.
 */
drain: DrainStatus | null, 
/**
 * Requests under way.
 */
requests: number, 
/**
 * Requests allowed at once right now; found out by measuring.
 */
requestLimit: number, 
/**
 * Messages that were skipped because they are larger than the settings allow.
 */
oversized: number, 
/**
 * Whether a person paused the delivery; messages are still taken in.
 */
paused: boolean, 
/**
 * What the broker may lose because of the version spoken, with the setting that prevents it.
 */
versionAdvice: string | null, 
/**
 * Last error, or nothing.
 */
lastError: LastError | null, 
/**
 * Address of the downlink endpoint, when it listens.
 */
downlink: string | null, };

/**
 * A relay as the list and the editor need it.
 */
export type RelayView = { 
/**
 * Saved values.
 */
relay: Relay, 
/**
 * A draft with the same values, for the editor.
 */
draft: RelayDraft, 
/**
 * Each filter with what the broker last answered, in words: `granted QoS 1`, `refused: not authorized`.
 */
grants: Array<Grant>, };

/**
 * How often a message is sent, as typed.
 */
export type RepeatDraft = { 
/**
 * How many.
 */
count: string, 
/**
 * Milliseconds between two.
 */
every: string, };

/**
 * What a person does to a replay.
 */
export type ReplayAct = "pause" | "resume" | "step" | "cancel";

/**
 * Does something to a replay.
 */
export type ReplayActRequest = { 
/**
 * Which.
 */
number: number, 
/**
 * What.
 */
act: ReplayAct, };

/**
 * How fast messages are published again.
 */
export type ReplayPace = "once" | "tenfold" | "most" | "steps";

/**
 * What a replay would be. A person says yes to this.
 */
export type ReplayPlan = { 
/**
 * Messages.
 */
messages: number, 
/**
 * Their payloads' bytes.
 */
bytes: number, 
/**
 * From the first to the last as they came, milliseconds.
 */
millis: number, 
/**
 * What is asked: `Publish 1,204 messages to “Plant 3”?`
 */
question: string, 
/**
 * What is left out, and why.
 */
leftOut: Array<string>, };

/**
 * How a replay stands.
 */
export type ReplayProgress = { 
/**
 * Its number.
 */
number: number, 
/**
 * The broker's name.
 */
broker: string, 
/**
 * How fast.
 */
pace: ReplayPace, 
/**
 * Messages in all.
 */
messages: number, 
/**
 * Handed to the connection.
 */
sent: number, 
/**
 * Of these, acknowledged (QoS 1 and 2) or written (QoS 0).
 */
taken: number, 
/**
 * Of these, refused.
 */
refused: number, 
/**
 * The first refusals, in words.
 */
refusals: Array<string>, 
/**
 * The topic of the next message.
 */
next: string | null, 
/**
 * Whether a person holds it.
 */
paused: boolean, 
/**
 * Whether nothing more happens.
 */
done: boolean, 
/**
 * How it stands, in words.
 */
words: string, 
/**
 * How good that is.
 */
tone: Tone, };

/**
 * Asks for messages to be published again, or what that would be.
 */
export type ReplayRequest = { 
/**
 * Which events.
 */
of: CaptureOf, 
/**
 * To which broker.
 */
brokerId: BrokerId | null, 
/**
 * How fast.
 */
pace: ReplayPace, };

/**
 * Begins a replay that a person said yes to.
 */
export type ReplayStart = { 
/**
 * What was asked.
 */
request: ReplayRequest, 
/**
 * How many messages the person said yes to; a view that grew since has no more of them published.
 */
messages: number, };

/**
 * What becomes of retained messages.
 */
export type RetainMode = "on" | "tagoIo";

/**
 * What is done with retained messages.
 */
export type Retained = "forward" | "skip" | "newer";

/**
 * Names one retained message.
 */
export type RetainedChoice = { 
/**
 * The broker.
 */
id: BrokerId, 
/**
 * Its space.
 */
space: string, 
/**
 * Its topic.
 */
topic: string, };

/**
 * A retained message as a line.
 */
export type RetainedLine = { 
/**
 * With a topic scope per device: whose, opaque.
 */
space: string, 
/**
 * Topic.
 */
topic: string, 
/**
 * One line of the payload.
 */
preview: string, 
/**
 * Payload bytes.
 */
size: number, 
/**
 * QoS.
 */
qos: number, 
/**
 * Client id of the publisher.
 */
from: string, 
/**
 * When it was published.
 */
at: number, };

/**
 * A retained message to look at; nothing when it is gone.
 */
export type RetainedLook = { 
/**
 * The payload.
 */
payload: PayloadView | null, };

/**
 * A page of the retained messages.
 */
export type RetainedPage = { 
/**
 * How many match.
 */
total: number, 
/**
 * What is wrong with the filter.
 */
problem: string | null, 
/**
 * The page.
 */
rows: Array<RetainedLine>, };

/**
 * Asks for a page of the retained messages, by topic.
 */
export type RetainedRequest = { 
/**
 * The broker.
 */
id: BrokerId, 
/**
 * A topic filter; empty is all.
 */
filter: string, 
/**
 * How many to pass over.
 */
from: number, 
/**
 * How many at most.
 */
count: number, };

/**
 * A secret shown on demand.
 */
export type Revealed = { 
/**
 * The value.
 */
value: string, };

/**
 * A payload to be written another way.
 */
export type RewriteRequest = { 
/**
 * As it is written.
 */
payload: PayloadDraft, 
/**
 * As it is to be written.
 */
form: PayloadForm, };

/**
 * One line of the feed.
 */
export type Row = { 
/**
 * Number of the event, ascending without gaps.
 */
seq: number, 
/**
 * Time.
 */
at: number, 
/**
 * One word: `connected`, `refused`, `subscribe`, `publish`, `delivered`, `retry`, `dead letter`, `disconnected` …
 */
kind: string, 
/**
 * Its chip.
 */
group: KindGroup, 
/**
 * Colour.
 */
tone: RowTone, 
/**
 * Where it was seen: the relay's or broker's name.
 */
source: string, 
/**
 * Who: client id, or the relay's name.
 */
client: string, 
/**
 * Topic or filter, when there is one.
 */
topic: string, 
/**
 * One-line preview.
 */
preview: string, 
/**
 * Payload size, when there is a payload.
 */
size: number | null, 
/**
 * QoS, when there is one.
 */
qos: number | null, 
/**
 * Retain flag.
 */
retain: boolean, 
/**
 * Message it belongs to.
 */
messageId: MessageId | null, };

/**
 * Colour of a row's dot, by its kind.
 */
export type RowTone = "connect" | "quiet" | "subscribe" | "publish" | "delivered" | "warn" | "bad";

/**
 * Rows of a view.
 */
export type Rows = { 
/**
 * How many rows the view has.
 */
total: number, 
/**
 * Of these, how many are newer than a list that stands still.
 */
newer: number, 
/**
 * Those asked for, newest first.
 */
rows: Array<Row>, };

/**
 * Asks for rows of a view, newest first.
 */
export type RowsRequest = { 
/**
 * The view.
 */
view: number, 
/**
 * How many newer rows to pass over; of a list that stands still, how many of its own.
 */
from: number, 
/**
 * How many rows, at most 1,000.
 */
count: number, 
/**
 * What a list that stands still is held at.
 */
anchor?: Anchor, };

/**
 * Delivery rules of a relay.
 */
export type Rules = { 
/**
 * What keeps its order.
 */
order: Order, 
/**
 * Requests under way at once, at most (1 to 2,000). How many there are is found out by measuring.
 */
requests: number, 
/**
 * Seconds until a request without an answer is given up (1 to 120).
 */
timeoutSeconds: number, 
/**
 * Messages of one ordering key in one request, at most (1 to 100); 1 is off.
 */
batch: number, 
/**
 * Attempts after which a message becomes a dead letter; `None` tries for ever.
 */
attempts: number | null, 
/**
 * Hours after its first attempt after which a message becomes a dead letter; `None` tries for ever.
 */
giveUpHours: number | null, 
/**
 * TagoIO plan of the profile.
 */
plan: Plan, 
/**
 * Requests per minute with [`Plan::Own`].
 */
ownLimit: number, 
/**
 * Percent of the plan's limit that is left to others (0 to 90).
 */
reserve: number, 
/**
 * Requests per minute that this relay makes at most; `None` is as many as the plan allows.
 */
pace: number | null, 
/**
 * Megabytes (10⁶ bytes) that may wait on disk.
 */
queueMegabytes: number, 
/**
 * What happens when they are full.
 */
whenFull: WhenFull, 
/**
 * Hours after which a waiting message is dropped; `None` keeps it.
 */
maxAgeHours: number | null, 
/**
 * What is done with retained messages that the broker sends upon subscribing.
 */
retained: Retained, 
/**
 * What is told besides topic and QoS.
 */
metadata: Metadata, 
/**
 * Topic on which the relay says `online` and, by its will, `offline`.
 */
statusTopic: string | null, 
/**
 * Whether a downlink that comes back as an uplink is stopped.
 */
loopGuard: boolean, 
/**
 * Whether everything is done but the request, which is shown instead.
 */
dryRun: boolean, };

/**
 * [`Rules`] as a form holds them: numbers as typed; empty where a rule is off.
 */
export type RulesDraft = { 
/**
 * What keeps its order.
 */
order: Order, 
/**
 * Requests at once.
 */
requests: string, 
/**
 * Seconds.
 */
timeoutSeconds: string, 
/**
 * Messages in one request; empty or 1 is off.
 */
batch: string, 
/**
 * Attempts; empty tries for ever.
 */
attempts: string, 
/**
 * Hours; empty tries for ever.
 */
giveUpHours: string, 
/**
 * Plan.
 */
plan: Plan, 
/**
 * Requests per minute, with a plan of one's own.
 */
ownLimit: string, 
/**
 * Percent.
 */
reserve: string, 
/**
 * Requests per minute; empty is as many as the plan allows.
 */
pace: string, 
/**
 * Megabytes.
 */
queueMegabytes: string, 
/**
 * When full.
 */
whenFull: WhenFull, 
/**
 * Hours; empty keeps everything.
 */
maxAgeHours: string, 
/**
 * Retained messages.
 */
retained: Retained, 
/**
 * Extras.
 */
metadata: Metadata, 
/**
 * Topic; empty says nothing.
 */
statusTopic: string, 
/**
 * Loop guard.
 */
loopGuard: boolean, 
/**
 * Dry run.
 */
dryRun: boolean, };

/**
 * A filter that was saved.
 */
export type SavedFilter = { 
/**
 * Number.
 */
id: number, 
/**
 * Name, unlike all others.
 */
name: string, 
/**
 * The filter's line.
 */
line: string, };

/**
 * A message that was kept.
 */
export type SavedMessage = { 
/**
 * Its number.
 */
id: number, 
/**
 * Its folder; empty outside of any.
 */
folder: string, 
/**
 * Its name, once in a folder.
 */
name: string, 
/**
 * The form.
 */
message: MessageDraft, };

/**
 * A message to be kept.
 */
export type SavedMessageDraft = { 
/**
 * In the place of this one; `None` for a new one.
 */
id: number | null, 
/**
 * Folder.
 */
folder: string, 
/**
 * Name.
 */
name: string, 
/**
 * The form; need not be valid yet.
 */
message: MessageDraft, };

/**
 * A saved schema.
 */
export type Schema = { 
/**
 * Identity; bindings name it.
 */
id: SchemaId, 
/**
 * What people call it.
 */
name: string, 
/**
 * What was uploaded.
 */
source: SchemaSource, };

/**
 * What the schema form holds.
 */
export type SchemaDraft = { 
/**
 * `None` makes a new schema.
 */
id: SchemaId | null, 
/**
 * Name.
 */
name: string, 
/**
 * What was uploaded.
 */
source: SchemaSource, };

/**
 * An uploaded Protobuf schema.
 */
export type SchemaId = string;

/**
 * A schema.
 */
export type SchemaRequest = { 
/**
 * Which.
 */
id: SchemaId, };

/**
 * What was uploaded.
 */
export type SchemaSource = { "kind": "proto", 
/**
 * The texts.
 */
files: Array<ProtoFile>, } | { "kind": "descriptors", 
/**
 * Its bytes in Base64.
 */
data: string, };

/**
 * A schema as lists show it.
 */
export type SchemaView = { 
/**
 * Identity.
 */
id: SchemaId, 
/**
 * Name.
 */
name: string, 
/**
 * Message types to choose from.
 */
messages: Array<string>, };

/**
 * What a form does with a secret that the page never saw.
 */
export type SecretDraft = { "kind": "keep" } | { "kind": "set", 
/**
 * The new value.
 */
value: string, } | { "kind": "clear" } | { "kind": "generate" };

/**
 * A session to be opened.
 */
export type SessionDraft = { 
/**
 * At which broker.
 */
brokerId: BrokerId | null, 
/**
 * What to subscribe to; at least one.
 */
filters: Array<SessionFilterDraft>, 
/**
 * Filters like `#` are meant as they stand.
 */
everything: boolean, };

/**
 * A filter and the QoS asked for.
 */
export type SessionFilterDraft = { 
/**
 * Filter.
 */
filter: string, 
/**
 * QoS.
 */
qos: Qos, };

/**
 * A filter that a session gives up.
 */
export type SessionFilterRemoval = { 
/**
 * The session.
 */
number: number, 
/**
 * Filter.
 */
filter: string, };

/**
 * A filter for an open session. One that is there takes the new QoS.
 */
export type SessionFilterRequest = { 
/**
 * The session.
 */
number: number, 
/**
 * Filter.
 */
filter: string, 
/**
 * QoS.
 */
qos: Qos, 
/**
 * Filters like `#` are meant as they stand.
 */
everything: boolean, };

/**
 * A filter of an open session.
 */
export type SessionFilterView = { 
/**
 * Filter.
 */
filter: string, 
/**
 * QoS asked for.
 */
qos: Qos, 
/**
 * How it stands: `granted QoS 1`, `refused: …`.
 */
words: string, 
/**
 * Whether that is good.
 */
tone: Tone, };

/**
 * An open session.
 */
export type SessionView = { 
/**
 * Its number.
 */
number: number, 
/**
 * At which broker.
 */
brokerId: BrokerId, 
/**
 * That broker's name.
 */
broker: string, 
/**
 * Its own client id; empty before it was first started.
 */
clientId: string, 
/**
 * How it stands.
 */
state: StateWords, 
/**
 * What to do about it; empty when nothing.
 */
advice: string, 
/**
 * Filters, in the order they were added.
 */
filters: Array<SessionFilterView>, 
/**
 * Messages that came.
 */
received: number, 
/**
 * Messages that came and are not in the feed: too large.
 */
lost: number, };

/**
 * All open sessions, by number.
 */
export type SessionsFrame = { 
/**
 * Those a person opened.
 */
sessions: Array<SessionView>, };

/**
 * Settings a person can change.
 */
export type Settings = { 
/**
 * Colours.
 */
theme: Theme, 
/**
 * Memory budget of the feed, in megabytes (16 to 4096).
 */
feedMegabytes: number, 
/**
 * Largest MQTT packet taken, in megabytes (1 to 256); larger ones are skipped and counted.
 */
packetMegabytes: number, 
/**
 * What is recorded on disk.
 */
history: HistorySettings, 
/**
 * Whether the first-run doors were passed.
 */
welcomed: boolean, 
/**
 * Whether the rail of places shows icons only.
 */
railFolded: boolean, 
/**
 * What the inspector's column of times shows.
 */
timeColumn: TimeColumn, };

/**
 * Settings and what depends on them.
 */
export type SettingsView = { 
/**
 * Values.
 */
settings: Settings, 
/**
 * About.
 */
info: AppInfo, };

/**
 * What a payload's size is compared with, in bytes.
 */
export type SizeTest = { "is": "above", 
/**
 * Bytes.
 */
bytes: number, } | { "is": "atLeast", 
/**
 * Bytes.
 */
bytes: number, } | { "is": "below", 
/**
 * Bytes.
 */
bytes: number, } | { "is": "atMost", 
/**
 * Bytes.
 */
bytes: number, } | { "is": "exactly", 
/**
 * Bytes.
 */
bytes: number, } | { "is": "between", 
/**
 * Bytes, the least.
 */
least: number, 
/**
 * Bytes, the most.
 */
most: number, };

/**
 * What kind of part saw an event.
 */
export type SourceKind = "app" | "broker" | "tap" | "relay" | "session";

/**
 * A state in words.
 */
export type StateWords = { 
/**
 * Short, for a badge: `running`, `waiting for 14:03:00`, `paused: token refused`.
 */
words: string, 
/**
 * Colour.
 */
tone: Tone, 
/**
 * Since when.
 */
since: number | null, };

/**
 * How many letters got an answer.
 */
export type StatusCount = { 
/**
 * The answer.
 */
status: LetterStatus, 
/**
 * How many.
 */
count: number, };

/**
 * Everything that changes by itself.
 */
export type StatusSnapshot = { 
/**
 * One per saved relay, in the order of the list.
 */
relays: Array<RelayStatus>, 
/**
 * One per saved broker.
 */
brokers: Array<BrokerStatus>, 
/**
 * One per saved tap.
 */
taps: Array<TapStatus>, 
/**
 * The local stand-in for TagoIO.
 */
platform: PlatformStatus, 
/**
 * The demo: embedded broker, simulated devices and relay made by *Try it*.
 */
demo: DemoStatus, 
/**
 * For the status bar.
 */
totals: Totals, };

/**
 * Asks for the row that a key leads to.
 */
export type StepRequest = { 
/**
 * The view.
 */
view: number, 
/**
 * The row that the keyboard is on; without one it leads to the first.
 */
seq: number | null, 
/**
 * How many rows further down, or up when it is negative.
 */
step: number, 
/**
 * How many rows the list has at most.
 */
most: number, 
/**
 * What a list that stands still is held at.
 */
anchor?: Anchor, };

/**
 * Where a key led.
 */
export type Stepped = { 
/**
 * The event.
 */
seq: number, 
/**
 * Its place in the list, from 0.
 */
index: number, };

/**
 * A saved tap.
 */
export type Tap = { 
/**
 * Its identity; survives renaming.
 */
id: TapId, 
/**
 * What people call it; unique among taps.
 */
name: string, 
/**
 * The broker behind it.
 */
brokerId: BrokerId, 
/**
 * Where clients come in.
 */
listener: Listener, 
/**
 * Whether the broker is told each client's address by the PROXY protocol, version 2. It must expect it.
 */
proxy: boolean, 
/**
 * How much it takes.
 */
limits: BrokerLimits, 
/**
 * Whether it runs.
 */
enabled: boolean, };

/**
 * What to do with a tap.
 */
export type TapAction = "start" | "stop" | "restart";

/**
 * Asks for something to be done with a tap.
 */
export type TapActionRequest = { 
/**
 * Which.
 */
id: TapId, 
/**
 * What.
 */
action: TapAction, };

/**
 * A client of a tap.
 */
export type TapClient = { 
/**
 * Number of its connection.
 */
id: number, 
/**
 * Client id.
 */
clientId: string, 
/**
 * User name it gave.
 */
username: string, 
/**
 * Where it comes from.
 */
address: string, 
/**
 * `3.1`, `3.1.1` or `5`; empty before its CONNECT.
 */
version: string, 
/**
 * Since when.
 */
since: number, 
/**
 * Messages from it.
 */
messagesIn: number, 
/**
 * Messages to it.
 */
messagesOut: number, 
/**
 * Filters it subscribed to.
 */
subscriptions: number, };

/**
 * What the form of a tap holds.
 */
export type TapDraft = { 
/**
 * Nothing while it is new.
 */
id: TapId | null, 
/**
 * Name.
 */
name: string, 
/**
 * The broker behind it.
 */
brokerId: BrokerId | null, 
/**
 * Where clients come in.
 */
listener: ListenerDraft, 
/**
 * Whether the broker is told each client's address.
 */
proxy: boolean, 
/**
 * How much it takes.
 */
limits: LimitsDraft, 
/**
 * Whether it runs.
 */
enabled: boolean, };

/**
 * A tap: a listener of ours before a saved broker.
 */
export type TapId = string;

/**
 * A tap as its page shows it.
 */
export type TapLive = { 
/**
 * Whether it runs.
 */
running: boolean, 
/**
 * Its clients, oldest first, 500 at most.
 */
clients: Array<TapClient>, 
/**
 * Faults that are active.
 */
faults: Array<FaultView>, 
/**
 * Connections its limits refused since it started.
 */
refused: number, 
/**
 * Connections its limits cut.
 */
cut: number, };

/**
 * Asks for a tap by its id.
 */
export type TapRequest = { 
/**
 * Which.
 */
id: TapId, };

/**
 * A tap at work.
 */
export type TapStatus = { 
/**
 * Which.
 */
id: TapId, 
/**
 * Its name.
 */
name: string, 
/**
 * Whether it should run.
 */
enabled: boolean, 
/**
 * The tap itself.
 */
state: StateWords, 
/**
 * Where clients connect.
 */
address: string, 
/**
 * Name of the broker behind it.
 */
targetName: string, 
/**
 * How that was found the last time a client came.
 */
target: StateWords, 
/**
 * Clients that are connected.
 */
clients: number, 
/**
 * Messages from clients so far.
 */
messagesIn: number, 
/**
 * Messages to clients so far.
 */
messagesOut: number, 
/**
 * Messages from clients per second.
 */
rateIn: number, 
/**
 * Messages to clients per second.
 */
rateOut: number, 
/**
 * Faults that are active.
 */
faults: number, 
/**
 * Things that were found.
 */
findings: number, };

/**
 * A saved tap and its form.
 */
export type TapView = { 
/**
 * As it is saved.
 */
tap: Tap, 
/**
 * As the form begins.
 */
draft: TapDraft, 
/**
 * Name of the broker behind it.
 */
brokerName: string, };

/**
 * How a step ended.
 */
export type TestOutcome = "ok" | "warning" | "failed" | "skipped" | "notReached" | "cancelled";

/**
 * All steps of a test.
 */
export type TestReport = { 
/**
 * All five, in order.
 */
steps: Array<TestStep>, 
/**
 * Whether the broker can be used as it is.
 */
passed: boolean, };

/**
 * Asks for a connection test of what the form holds.
 */
export type TestRequest = { 
/**
 * The form.
 */
draft: BrokerDraft, 
/**
 * A number made by the page; [`Frame::TestStep`] carries it, and `brokers.testCancel` takes it.
 */
testId: number, };

/**
 * One step of a connection test.
 */
export type TestStep = { 
/**
 * Which.
 */
name: TestStepName, 
/**
 * How it ended.
 */
outcome: TestOutcome, 
/**
 * How long it took.
 */
millis: number, 
/**
 * What was found: addresses, certificates, the broker's limits.
 */
detail: Array<string>, 
/**
 * For a failure: what to do.
 */
advice: string, };

/**
 * A step that just ended.
 */
export type TestStepFrame = { 
/**
 * The test.
 */
testId: number, 
/**
 * The step.
 */
step: TestStep, };

/**
 * Steps of a connection test, in order.
 */
export type TestStepName = "name" | "tcp" | "tls" | "connack" | "suback";

/**
 * A text to check.
 */
export type TextRequest = { 
/**
 * The text.
 */
text: string, };

/**
 * Colours of the page.
 */
export type Theme = "system" | "light" | "dark";

/**
 * What stands in the inspector's column of times.
 */
export type TimeColumn = "clock" | "previous" | "start";

/**
 * One line of the feed with TagoIO's title.
 */
export type TitledRow = { 
/**
 * `[MQTT] Device publish`.
 */
title: string, 
/**
 * The line.
 */
row: Row, };

/**
 * Rows of one client's life.
 */
export type TitledRows = { 
/**
 * How many it has.
 */
total: number, 
/**
 * Those asked for, oldest first.
 */
rows: Array<TitledRow>, };

/**
 * What TLS trusts and shows.
 */
export type Tls = { 
/**
 * Own certificate authorities (PEM); `None` trusts the system's.
 */
ca: string | null, 
/**
 * Client certificate chain (PEM). Its key is in [`BrokerSecrets`].
 */
clientCert: string | null, 
/**
 * Application protocols to offer (RFC 7301).
 */
alpn: Array<string>, 
/**
 * Name the broker's certificate must carry, when it is not the host.
 */
serverName: string | null, };

/**
 * The TLS part of the broker form. Certificates are the contents of the chosen files.
 */
export type TlsDraft = { 
/**
 * `true` trusts only `ca`.
 */
ownCa: boolean, 
/**
 * PEM of the certificate authorities.
 */
ca: string, 
/**
 * PEM of the client certificate chain; empty shows none.
 */
clientCert: string, 
/**
 * PEM of its private key.
 */
clientKey: SecretDraft, 
/**
 * Protocols, separated by commas.
 */
alpn: string, 
/**
 * Server name; empty takes the host.
 */
serverName: string, };

/**
 * A saved token without its value.
 */
export type Token = { 
/**
 * Identity.
 */
id: TokenId, 
/**
 * What people call it; unique among tokens of the kind.
 */
name: string, 
/**
 * What it is for.
 */
kind: TokenKind, 
/**
 * Where it is valid.
 */
region: Region, 
/**
 * Last five characters of the value.
 */
last5: string, 
/**
 * Device tokens: the device's serial.
 */
serial: string | null, 
/**
 * Device tokens: what it allows.
 */
permission: Permission, 
/**
 * Device tokens: when it stops being valid, Unix milliseconds.
 */
expiresAt: number | null, 
/**
 * Unix milliseconds.
 */
createdAt: number, 
/**
 * Unix milliseconds of the last time it was sent or accepted.
 */
lastUsedAt: number | null, };

/**
 * What the token form holds.
 */
export type TokenDraft = { 
/**
 * `None` makes a new token.
 */
id: TokenId | null, 
/**
 * Name.
 */
name: string, 
/**
 * Kind; can't be changed later.
 */
kind: TokenKind, 
/**
 * Region.
 */
region: Region, 
/**
 * Value.
 */
value: SecretDraft, 
/**
 * Device tokens: the device's serial.
 */
serial: string, 
/**
 * Device tokens: what it allows.
 */
permission: Permission, 
/**
 * Device tokens: the local time at which it stops being valid, as `2026-12-31T18:00`; empty for never.
 */
expires: string, };

/**
 * A saved network token, authorization or device token.
 */
export type TokenId = string;

/**
 * What a token is for (TagoIO: Integrations › Network, Devices › Authorization, Device › Token).
 */
export type TokenKind = "network" | "authorization" | "device";

/**
 * Asks for a token by its id.
 */
export type TokenRequest = { 
/**
 * Which.
 */
id: TokenId, };

/**
 * A token as the list needs it.
 */
export type TokenView = { 
/**
 * Saved values, without the secret.
 */
token: Token, 
/**
 * The region in words.
 */
regionWords: string, 
/**
 * Device tokens: when it stops being valid, as the form holds it (local time); empty for never.
 */
expires: string, 
/**
 * Whether that time is past.
 */
expired: boolean, 
/**
 * Names of the relays that use it.
 */
users: Array<string>, };

/**
 * How a state looks: colour is never its only sign.
 */
export type Tone = "ok" | "warn" | "bad" | "idle";

/**
 * What children of a branch are ordered by.
 */
export type TopicOrder = "name" | "rate" | "time";

/**
 * One level of the topic tree.
 */
export type TopicRow = { 
/**
 * The whole topic.
 */
topic: string, 
/**
 * Its last level.
 */
name: string, 
/**
 * Rows of this very topic.
 */
own: number, 
/**
 * Rows of it and everything below it.
 */
below: number, 
/**
 * Its children.
 */
children: number, 
/**
 * Rows per second of it and everything below it, over about ten seconds.
 */
rate: number, 
/**
 * Time of the newest row of it and everything below it.
 */
lastAt: number, 
/**
 * The last message of this very topic, or the newest row where there is none.
 */
last: Row | null, 
/**
 * Whether that message was retained.
 */
retained: boolean, };

/**
 * Children of a branch.
 */
export type TopicRows = { 
/**
 * How many the branch has.
 */
total: number, 
/**
 * Those asked for.
 */
rows: Array<TopicRow>, };

/**
 * Who gets what a device publishes.
 */
export type TopicScope = "shared" | "perDevice";

/**
 * Asks for children of a branch of the topic tree.
 */
export type TopicsRequest = { 
/**
 * A view that looks at topics.
 */
view: number, 
/**
 * The branch, as a topic; `None` for the top.
 */
branch: string | null, 
/**
 * Order.
 */
order: TopicOrder, 
/**
 * How many to pass over.
 */
from: number, 
/**
 * How many, at most 1,000.
 */
count: number, };

/**
 * Sums for the status bar.
 */
export type Totals = { 
/**
 * Received per second.
 */
rateIn: number, 
/**
 * Delivered per second.
 */
rateOut: number, 
/**
 * Waiting in queues.
 */
waiting: number, 
/**
 * When the oldest waiting message was received.
 */
oldestWaitingAt: number | null, 
/**
 * Dead letters.
 */
dead: number, 
/**
 * Bytes the feed holds.
 */
feedBytes: number, 
/**
 * Budget of the feed, bytes.
 */
feedBudget: number, 
/**
 * Bytes of the databases on disk.
 */
diskBytes: number, };

/**
 * How bytes travel to the broker.
 */
export type Transport = "tcp" | "tls" | "ws" | "wss";

/**
 * Brings back what was taken away.
 */
export type UndoClearRequest = { 
/**
 * The broker.
 */
id: BrokerId, 
/**
 * The file's name.
 */
undo: string, };

/**
 * Takes a discard back.
 */
export type UndoRequest = { 
/**
 * Which.
 */
undo: number, };

/**
 * A user property as typed.
 */
export type UserProperty = { 
/**
 * Name; may come more than once.
 */
name: string, 
/**
 * Value.
 */
value: string, };

/**
 * Cases of a verification.
 */
export type VerifyOutcome = "ok" | "wrongRegion" | "wrongKind" | "refused" | "unreachable" | "notCheckable";

/**
 * What `GET /info` said of a token.
 */
export type VerifyReport = { 
/**
 * Which of the cases it is.
 */
outcome: VerifyOutcome, 
/**
 * In words, with what to do.
 */
message: string, 
/**
 * HTTP status, when one came.
 */
status: number | null, 
/**
 * How long it took.
 */
millis: number, };

/**
 * A view changed.
 */
export type ViewFrame = { 
/**
 * The view.
 */
view: number, 
/**
 * How many rows it has.
 */
total: number, 
/**
 * While paused: how many rows came since.
 */
waiting: number, 
/**
 * Whether it is paused.
 */
paused: boolean, 
/**
 * How many events were looked at of those recorded before it was opened.
 */
looked: number, 
/**
 * How many there were; the view is complete once both are equal.
 */
toLook: number, 
/**
 * Rows it had that are no longer kept.
 */
gone: number, 
/**
 * Events recorded since the start, all views and none.
 */
recorded: number, 
/**
 * Events no longer kept: budget.
 */
evicted: number, 
/**
 * Events that were too large for the budget and never kept.
 */
notTaken: number, 
/**
 * Events per second, all.
 */
rate: number, };

/**
 * A view with a new filter; with a mistake in the line, an open view keeps its old one.
 */
export type ViewOpened = { 
/**
 * The view, unless the line has a mistake.
 */
frame: ViewFrame | null, 
/**
 * What was read.
 */
reading: FilterReading, };

/**
 * Opens a view.
 */
export type ViewRequest = { 
/**
 * The view to replace the filter of, or `None` for a new one.
 */
view: number | null, 
/**
 * The filter, as it is typed.
 */
line: string, 
/**
 * How the rows are arranged.
 */
look: Look, 
/**
 * For a new view: of this recording, or of the live feed.
 */
recording?: number, };

/**
 * What waits.
 */
export type Waiting = { 
/**
 * How many wait, those under way included.
 */
total: number, 
/**
 * Those asked for, oldest first.
 */
entries: Array<WaitingRow>, };

/**
 * Pages through what waits for a relay, oldest first.
 */
export type WaitingRequest = { 
/**
 * Which relay.
 */
relayId: RelayId, 
/**
 * Entries after this number.
 */
after: number | null, 
/**
 * Or those before this number, the nearest.
 */
before: number | null, 
/**
 * How many, at most 500.
 */
count: number, };

/**
 * A waiting message in one line.
 */
export type WaitingRow = { 
/**
 * Its number in the queue.
 */
id: number, 
/**
 * Topic.
 */
topic: string, 
/**
 * QoS it came with.
 */
qos: Qos, 
/**
 * Retain flag it came with.
 */
retain: boolean, 
/**
 * Bytes of the payload.
 */
size: number, 
/**
 * When it was received.
 */
receivedAt: number, 
/**
 * Attempts made so far.
 */
attempts: number, 
/**
 * The payload in one line.
 */
preview: string, };

/**
 * What happens when the queue's budget is full.
 */
export type WhenFull = "stop" | "dropOldest" | "dropNewest";

/**
 * A last will (MQTT 5.0 section 3.1.2.5).
 */
export type Will = { 
/**
 * Topic.
 */
topic: string, 
/**
 * Payload as text.
 */
payload: string, 
/**
 * Quality of service.
 */
qos: Qos, 
/**
 * Whether the broker retains it.
 */
retain: boolean, };

/** Every command: what it takes and what it gives. */
export interface Commands {
  "app.info": { request: null; response: AppInfo };
  "app.blank": { request: null; response: Blank };
  "app.regions": { request: null; response: Array<RegionChoice> };
  "app.status": { request: null; response: StatusSnapshot };
  "settings.get": { request: null; response: SettingsView };
  "settings.save": { request: Settings; response: SettingsView };
  "demo.start": { request: null; response: DemoStatus };
  "demo.stop": { request: null; response: DemoStatus };
  "demo.remove": { request: null; response: null };
  "brokers.list": { request: null; response: Array<BrokerView> };
  "brokers.save": { request: BrokerDraft; response: BrokerView };
  "brokers.delete": { request: BrokerRequest; response: null };
  "brokers.test": { request: TestRequest; response: TestReport };
  "brokers.testCancel": { request: NumberRequest; response: null };
  "brokers.readPem": { request: TextRequest; response: PemSummary };
  "embedded.live": { request: BrokerRequest; response: EmbeddedLive };
  "embedded.clients": { request: ClientsRequest; response: Clients };
  "embedded.client": { request: ClientRequest; response: ClientDetail };
  "embedded.disconnect": { request: ClientRequest; response: null };
  "embedded.lines": { request: LinesRequest; response: Array<CommandLine> };
  "embedded.blankListener": { request: null; response: BlankListener };
  "embedded.preview": { request: BrokerDraft; response: EmbeddedPreview };
  "embedded.retained": { request: RetainedRequest; response: RetainedPage };
  "embedded.retainedLook": { request: RetainedChoice; response: RetainedLook };
  "embedded.clearRetained": { request: ClearRequest; response: Cleared };
  "embedded.undoClear": { request: UndoClearRequest; response: LettersMoved };
  "listeners.presets": { request: null; response: Array<PresetLines> };
  "listeners.port": { request: PortRequest; response: PortLook };
  "taps.list": { request: null; response: Array<TapView> };
  "taps.save": { request: TapDraft; response: TapView };
  "taps.delete": { request: TapRequest; response: null };
  "taps.act": { request: TapActionRequest; response: null };
  "taps.live": { request: TapRequest; response: TapLive };
  "taps.press": { request: FaultRequest; response: null };
  "taps.lift": { request: LiftRequest; response: null };
  "findings.list": { request: FindingsRequest; response: Array<Finding> };
  "tokens.list": { request: null; response: Array<TokenView> };
  "tokens.save": { request: TokenDraft; response: TokenView };
  "tokens.delete": { request: TokenRequest; response: null };
  "tokens.reveal": { request: TokenRequest; response: Revealed };
  "tokens.verify": { request: TokenRequest; response: VerifyReport };
  "relays.list": { request: null; response: Array<RelayView> };
  "relays.save": { request: RelayDraft; response: RelayView };
  "relays.delete": { request: RelayRequest; response: null };
  "relays.preview": { request: RelayDraft; response: RelayPreview };
  "relays.act": { request: RelayActionRequest; response: null };
  "endpoint.get": { request: null; response: EndpointView };
  "endpoint.save": { request: EndpointDraft; response: EndpointView };
  "endpoint.reveal": { request: null; response: Revealed };
  "endpoint.renewCertificate": { request: null; response: EndpointView };
  "endpoint.downlink": { request: RelayRequest; response: DownlinkView };
  "endpoint.test": { request: EndpointTestRequest; response: EndpointTestReport };
  "topics.check": { request: TextRequest; response: FilterCheck };
  "feed.open": { request: ViewRequest; response: ViewOpened };
  "feed.close": { request: NumberRequest; response: null };
  "feed.rows": { request: RowsRequest; response: Rows };
  "feed.step": { request: StepRequest; response: Stepped | null };
  "feed.pause": { request: PauseRequest; response: ViewFrame };
  "feed.clear": { request: NumberRequest; response: ViewFrame };
  "feed.event": { request: EventRequest; response: EventDetail };
  "feed.rate": { request: RateRequest; response: RateChart };
  "feed.topics": { request: TopicsRequest; response: TopicRows };
  "feed.connections": { request: ConnectionsRequest; response: ConnectionRows };
  "feed.connectionRows": { request: ConnectionRowsRequest; response: TitledRows };
  "capture.folder": { request: null; response: CaptureFolder };
  "capture.export": { request: CaptureRequest; response: Exported };
  "capture.cancel": { request: NumberRequest; response: null };
  "recordings.begin": { request: RecordingDraft; response: RecordingView };
  "recordings.add": { request: RecordingPart; response: RecordingView };
  "recordings.close": { request: NumberRequest; response: null };
  "replay.plan": { request: ReplayRequest; response: ReplayPlan };
  "replay.start": { request: ReplayStart; response: ReplayProgress };
  "replay.act": { request: ReplayActRequest; response: ReplayProgress };
  "replay.progress": { request: NumberRequest; response: ReplayProgress };
  "chart.pick": { request: ChartPick; response: null };
  "chart.add": { request: ChartDraft; response: null };
  "chart.remove": { request: ChartRemoval; response: null };
  "chart.points": { request: ChartRequest; response: ChartPoints };
  "chart.export": { request: ChartExport; response: Exported };
  "chart.picture": { request: ChartPicture; response: Exported };
  "history.status": { request: null; response: HistoryStatus };
  "history.search": { request: HistoryRequest; response: HistoryRows };
  "history.event": { request: EventRequest; response: EventDetail };
  "filters.read": { request: TextRequest; response: FilterReading };
  "filters.edit": { request: FilterEditRequest; response: FilterReading };
  "filters.list": { request: null; response: Array<SavedFilter> };
  "filters.save": { request: FilterDraft; response: SavedFilter };
  "filters.delete": { request: FilterRequest; response: null };
  "decode.event": { request: DecodeRequest; response: DecodedEvent };
  "decode.lines": { request: PayloadLinesRequest; response: PayloadLines };
  "decode.copy": { request: CopyRequest; response: Copied };
  "decode.save": { request: PayloadRequest; response: Exported };
  "decode.diff": { request: DiffRequest; response: PayloadDiff };
  "decode.bindings": { request: null; response: Array<DecoderBinding> };
  "decode.saveBinding": { request: DecoderBindingDraft; response: DecoderBinding };
  "decode.deleteBinding": { request: BindingRequest; response: null };
  "decode.schemas": { request: null; response: Array<SchemaView> };
  "decode.schema": { request: SchemaRequest; response: Schema };
  "decode.saveSchema": { request: SchemaDraft; response: SchemaView };
  "decode.deleteSchema": { request: SchemaRequest; response: null };
  "sessions.list": { request: null; response: SessionsFrame };
  "sessions.open": { request: SessionDraft; response: SessionView };
  "sessions.add": { request: SessionFilterRequest; response: SessionView };
  "sessions.remove": { request: SessionFilterRemoval; response: SessionView };
  "sessions.close": { request: NumberRequest; response: null };
  "publish.check": { request: MessageDraft; response: MessageCheck };
  "publish.again": { request: PayloadRequest; response: MessageDraft };
  "publish.start": { request: PublishRequest; response: PublishProgress };
  "publish.progress": { request: NumberRequest; response: PublishProgress };
  "publish.cancel": { request: NumberRequest; response: PublishProgress };
  "messages.list": { request: null; response: Array<SavedMessage> };
  "messages.save": { request: SavedMessageDraft; response: SavedMessage };
  "messages.move": { request: MessagePlace; response: SavedMessage };
  "messages.renameFolder": { request: FolderRename; response: null };
  "messages.delete": { request: MessageRequest; response: null };
  "queue.letters": { request: LettersRequest; response: Letters };
  "queue.letter": { request: LetterRequest; response: LetterDetail };
  "queue.editLetter": { request: LetterDraft; response: LetterDetail };
  "queue.rewritePayload": { request: RewriteRequest; response: PayloadDraft };
  "queue.resend": { request: LetterChoice; response: LettersMoved };
  "queue.discard": { request: LetterChoice; response: Discarded };
  "queue.undoDiscard": { request: UndoRequest; response: LettersMoved };
  "queue.export": { request: ExportRequest; response: Exported };
  "queue.waiting": { request: WaitingRequest; response: Waiting };
  "bucket.devices": { request: null; response: Array<BucketDevice> };
  "bucket.rows": { request: BucketRequest; response: BucketRows };
  "import.preview": { request: ImportRequest; response: ImportPreview };
  "import.apply": { request: ImportRequest; response: ImportPreview };
}

/** What `subscribe` pushes. */
export type Pushed = Frame;
