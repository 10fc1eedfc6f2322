import { DEFAULT_LIMITS } from "../src/dicom/limits.ts";
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from "../src/dicom/writer.ts";
import { storageContextGroups } from "../src/network/dimse/get-contexts.ts";
import { completeTimeouts, DEFAULT_MAXIMUM_PDU_LENGTH } from "../src/network/dimse/timeouts.ts";
import { ASYNCHRONOUS_OPERATIONS_WINDOW } from "../src/network/upper-layer/negotiation.ts";
import { DICOM_APPLICATION_CONTEXT } from "../src/network/upper-layer/pdu.ts";
import { MAXIMUM_CONTEXTS } from "../src/network/upper-layer/pdu-decoder.ts";
import { STATES } from "../src/network/upper-layer/state-table.ts";
import { TLS_PROFILE } from "../src/network/upper-layer/tls-context.ts";
import { deidentificationSection } from "./conformance-deid.ts";
import {
  abortReasonsTable,
  answersTable,
  archiveContextsTable,
  characterSetTable,
  cipherSuites,
  consequencesTable,
  destinationContextsTable,
  generalAnswersTable,
  identityTable,
  listenerContextsTable,
  refusalsTable,
  rejectionsTable,
  servicesTable,
  settingRows,
  stateTable,
  storageTable,
  table,
  toolkitOnly,
  transferSyntaxTable,
  violationsTable,
} from "./conformance-tables.ts";

/** Settings of an archive or destination that matter here. */
const DIMSE_SETTINGS = ["address", "retrieve", "confirm", "tls.", "user.", "availability.associations"];

/** `docs/conformance.md`: the DICOM conformance statement, its tables those that the code works with. PS3.2. */
export function conformancePage(): string {
  return [
    overview(),
    introduction(),
    implementationModel(),
    listener(),
    archiveClient(),
    destinationClient(),
    toolkit(),
    associationPolicies(),
    answers(),
    breaches(),
    configuration(),
    characterSets(),
    security(),
    filesAndJson(),
    appendices(),
  ]
    .join("\n\n")
    .concat("\n");
}

function overview(): string {
  return `# DICOM conformance statement

Radferry ferries imaging studies from archives into research stores. This page says what it does on a DICOM network, after the structure of
PS3.2. Its tables are written by \`npm run docs\` from the tables that the program itself uses, and a test holds them against these.

## 1. Overview

Radferry asks archives for studies (C-FIND), has them sent (C-MOVE) or fetches them (C-GET), takes what is sent to it (C-STORE), and delivers
de-identified studies (C-STORE). It makes no images, changes no pixel compression but that of images it masks,
and of those that a destination does not take as they are (4.3), which leave uncompressed, and shows nothing to physicians.

${servicesTable()}

"toolkit" means: on request of a person, by \`radferry dicom …\`; the gateway itself does not use the class.

Media: Part 10 files are read and written. No application profile of PS3.11 is claimed, and no DICOMDIR is written.`;
}

function introduction(): string {
  return `## 2. Introduction

This page is for who runs an archive or a research store that Radferry is to talk to. It assumes that the reader knows DICOM's terms; those of
PS3.1 to PS3.8 are used as there. A conformance statement alone does not prove that two systems work together: \`radferry doctor\` tries the
configured archives and says what is missing.

| word | meaning |
|---|---|
| archive | a system that studies are asked of: a PACS or a vendor neutral archive |
| destination | a system that de-identified studies are sent to |
| AE | application entity: what has an AE title |
| SCU, SCP | who asks for a service, who gives it |`;
}

function implementationModel(): string {
  return `## 3. Implementation model

Three application entities make up the gateway. All of them go by one AE title (\`dicom.aeTitle\`).

| AE | what it does | acts as |
|---|---|---|
| Listener | takes the instances that archives send after a C-MOVE of ours, and answers C-ECHO | SCP |
| Archive client | looks for studies, has them sent or fetches them | SCU |
| Destination client | sends de-identified instances, and asks the destination what it holds | SCU |

A study goes this way:

1. The archive client finds the study, and lists its instances where the archive lets it.
2. It asks for the study: by C-MOVE to the listener's AE title, or by C-GET. Instances go to disk as they come, byte by byte.
3. What came is compared with what was listed. Only what is missing is asked for again.
4. The study is de-identified.
5. The destination client asks what the destination holds already, sends the rest, and asks again. Only then does the study count as delivered.

The status of a C-MOVE or C-GET proves nothing by itself: what counts is which SOP instance UIDs have arrived.`;
}

function listener(): string {
  return `## 4. Application entities

### 4.1 Listener

The listener accepts associations on its port, over TLS on another. It accepts C-ECHO and C-STORE.

${listenerContextsTable()}

Of the transfer syntaxes proposed for a context, the first that the listener knows is accepted, and Explicit VR Little Endian instead of
Implicit VR where both are proposed: private elements keep their VRs. \`dicom.transferSyntaxes\` and the rules of \`dicom.peers\` name others
and another order. The data set is kept as received: no transfer syntax is changed, no element coerced.

An instance is taken when it belongs to a study that was asked for. It is acknowledged when it is whole under its final name. An
instance that comes again replaces nothing that is whole.

Other answers than success:

${refusalsTable()}`;
}

function archiveClient(): string {
  const groups = storageContextGroups([]);
  return `### 4.2 Archive client

One association is opened for each question, for each C-MOVE and for each group of contexts of a C-GET.

${archiveContextsTable()}

C-FIND is asked in the study root, at the levels STUDY, SERIES and IMAGE, by single values and lists of UIDs. Answers that do not match the
keys exactly are dropped. When there are more answers than wanted, C-CANCEL is sent.

C-GET: an association has at most ${MAXIMUM_CONTEXTS} contexts. When the SOP classes of a study are known, those are proposed, each in every transfer syntax.
When they are not, the commonest go first, and up to ${groups.length} associations are opened one after the other until everything has come.
What the archive then says has failed is asked for again, by associations that propose a single transfer syntax each.`;
}

function destinationClient(): string {
  return `### 4.3 Destination client

${destinationContextsTable()}

Each object is sent in the transfer syntax it is in, where the destination accepts it. Else it is sent uncompressed, its pixel values unchanged,
under the same SOP Instance UID: from RLE Lossless, JPEG Lossless (process 14), Deflated and Explicit VR Big Endian. When that cannot be, as the
compression loses something or is not decoded here, nothing of the study is sent, and a person must act: objects are never compressed, and never
changed with loss. Afterwards the destination is asked at IMAGE level which instances it holds.`;
}

function toolkit(): string {
  return `### 4.4 Toolkit

\`radferry dicom\` has \`echo\`, \`find\`, \`move\`, \`get\`, \`store\`, \`receive\` and \`commit\` for tests and repairs. It is built from the same code, and takes
its AE title from its options. Beside the classes above it uses, as SCU: ${toolkitOnly()}.

\`commit\` asks an archive by N-ACTION to commit to instances, and takes the result as N-EVENT-REPORT over the same association, or over one that
the archive opens.`;
}

function associationPolicies(): string {
  const { connectTimeoutMs, artimTimeoutMs, idleTimeoutMs } = completeTimeouts(undefined);
  const { invoked, performed } = ASYNCHRONOUS_OPERATIONS_WINDOW;
  const rows = [
    ["application context name", DICOM_APPLICATION_CONTEXT],
    ["implementation class UID", IMPLEMENTATION_CLASS_UID],
    ["implementation version name", IMPLEMENTATION_VERSION_NAME],
    ["maximum PDU length that we accept", `${DEFAULT_MAXIMUM_PDU_LENGTH} bytes, by default`],
    ["maximum PDU length that we send", "what the peer accepts, however small or unlimited"],
    ["asynchronous operations window", `${invoked} invoked, ${performed} performed: one operation at a time`],
    ["presentation contexts in an association", `up to ${MAXIMUM_CONTEXTS}`],
    ["SCP/SCU role selection", "proposed for C-GET; accepted as far as a service is given"],
    ["SOP class extended negotiation", "not proposed by the gateway; not answered, so that the defaults hold"],
    ["connection and negotiation end after", `${connectTimeoutMs / 1_000} s`],
    ["ARTIM timer", `${artimTimeoutMs / 1_000} s`],
    ["an association is aborted when silent for", `${idleTimeoutMs / 1_000} s while an answer or data is awaited`],
  ];
  return `## 5. Association policies

${table(["what", "value"], rows)}

The number of associations that the listener holds at once is \`dicom.maximumAssociations\` (section 8). When as many are open, a newcomer takes
the place of one that has asked for nothing but C-ECHO for 10 s: of the address with the most such associations, the one idle for longest, which
gets an A-ABORT. One that is sending or being answered is never ended so; who sends less than 1,000 bytes a second for a minute, in the middle of
a message, counts as idle. To an archive, as many are opened as its settings allow (\`archives[]\`).

An association of ours ends with A-RELEASE when its work is done. It ends with A-ABORT when the peer breaks the protocol, is silent for too
long, or when the work is cancelled.

The listener rejects an association so:

${rejectionsTable()}

Reasons in an A-ABORT from us as service provider:

${abortReasonsTable()}`;
}

function answers(): string {
  return `## 6. Statuses of other systems, and what we do

Codes in this section are those of [errors.md](errors.md). What comes of them:

${consequencesTable()}

### 6.1 C-FIND

${answersTable("C-FIND")}

### 6.2 C-MOVE

${answersTable("C-MOVE")}

A702H with a number of failed sub-operations is no failure of the whole: what has not come is asked for again.

### 6.3 C-GET

${answersTable("C-GET")}

### 6.4 C-STORE, to a destination

${answersTable("C-STORE")}

### 6.5 Every service

C-ECHO and N-ACTION have no statuses but these.

${generalAnswersTable()}`;
}

function breaches(): string {
  return `## 7. Breaches of the protocol

What a peer does that PS3.7 or PS3.8 does not allow is answered as these say, logged under one of these codes, and counted.

${violationsTable()}`;
}

function configuration(): string {
  return `## 8. Configuration

These settings shape what is said above; all are in [settings.md](settings.md).

${settingRows("dicom.")}

For each archive and destination that is spoken to by DIMSE:

${settingRows(...DIMSE_SETTINGS.flatMap((name) => [`archives[].${name}`, `destinations[].${name}`]))}`;
}

function characterSets(): string {
  return `## 9. Character sets

All character sets of PS3.3 C.12.1.1.2 are read, with code extensions where these are defined.

${characterSetTable()}

Text goes on as it was received, byte by byte, unless it has to be written anew. Then it keeps its character set where that one can say it without
escape sequences; otherwise it is written in ISO_IR 192, which is declared. Queries go out in ASCII, or in
ISO_IR 192; the toolkit takes another set as a key.

A term of Specific Character Set that is unknown or misplaced is passed over. Text in no declared set is read as UTF-8 where it is, else by the
escape sequences in it, else as Latin-1. Bytes that are no text in their set are shown as Latin-1. In all these cases \`radferry dicom dump\` says so.

In ISO_IR 13 a tilde and a backslash are read as overline and yen sign, as JIS X 0201 has them; a backslash between values stays one.`;
}

function security(): string {
  return `## 10. Security

### 10.1 TLS

TLS follows the BCP 195 profiles of PS3.15 annex B: ${TLS_PROFILE.minVersion.replace("v", " ")} at least, no renegotiation, and these cipher suites in this order:

${cipherSuites()}

The listener can require a certificate from whoever connects (\`dicom.tls.clientAuthoritiesFile\`). As SCU, the gateway checks the peer's
certificate and name, and shows its own where asked.

### 10.2 User identity

${identityTable()}

As SCU, a user name goes along, with a passcode if one is set (\`user\` of an archive or destination). Where \`dicom.users\` names users, the listener
accepts only a user name with the right passcode; other types are refused. Whoever asks for a positive response gets one. Passwords are in files of
their own, and in no log.

### 10.3 Who may connect

\`dicom.peers\` lets in by AE title and address, and can narrow SOP classes and transfer syntaxes for each peer. Without it, anybody who knows the
AE title may connect; the listener binds the loopback address until told otherwise.

${deidentificationSection()}`;
}

function filesAndJson(): string {
  const { depth, elements, heldBytes, inflatedBytes } = DEFAULT_LIMITS;
  const mebibyte = 1024 * 1024;
  return `## 11. Files and DICOM JSON

Part 10 files are read in every transfer syntax of appendix B; others are taken for explicit VR little endian. A missing preamble or file meta
information is noted and put up with. What is malformed is refused with a code, or by \`radferry dicom dump\` shown as far as it can be read.

A file may have sequences ${depth} deep, ${elements} elements, ${heldBytes / mebibyte} MiB of values besides bulk data, and may inflate to ${inflatedBytes / mebibyte} MiB.

DICOM JSON (PS3.18 annex F) is written and read. Specific Character Set stays what it was in the source. Numbers of VR DS and IS are JSON numbers
where nothing is lost by it, else strings. A data set comes back from JSON as it was, but for these:

- padding, delimiters at the end of names, and how a DS or IS number was written;
- text in a set that is not written (section 9): it is in ISO_IR 192 then;
- the sign of a zero, and which of the NaNs it was, in FL and FD;
- group lengths, and whether sequences had a defined length.

Numbers that DS has too few characters for are rounded. A data set is refused when a value would become another: a backslash within one of several
values, a number that the VR cannot hold, text outside the default repertoire in a VR that has no other.`;
}

function appendices(): string {
  const states = Object.entries(STATES).map(([name, meaning]) => [name, meaning]);
  return `## Appendix A. Storage SOP classes

${storageTable()}

## Appendix B. Transfer syntaxes

${transferSyntaxTable()}

## Appendix C. States of the upper layer

The actions are those of PS3.8 tables 9-6 to 9-9. An empty cell cannot happen.

${table(["state", "meaning"], states)}

${stateTable()}`;
}
