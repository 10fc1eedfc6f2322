import { readFigures } from "../test/chaos/figures.ts";
import { CONNECTION_KINDS, type FailureKind } from "../test/chaos/kinds.ts";
import { BROKER_KINDS, MACHINE_KINDS } from "../test/chaos/machine-kinds.ts";

/** docs/operating/failures.md: what breaks, what is seen of it and what comes of it, from the tables that the rehearsals are run from. */
export function failuresPage(): string {
  const { date, seconds } = readFigures();
  const kinds = [...CONNECTION_KINDS, ...MACHINE_KINDS, ...BROKER_KINDS];
  const rows = kinds.map((kind) => {
    const took = seconds[kind.name];
    return `| ${kind.where} | ${kind.what} | ${seenOf(kind)} | ${endOf(kind)} | ${took ?? ""} |`;
  });
  const table = ["| where | what happens | code meanwhile | how it ends | s |", "|---|---|---|---|---|", ...rows].join(
    "\n",
  );
  return `${BEFORE}${kinds.length} kinds, as they came out on ${date}; the last column is how many seconds each took from the first start of a program to the end of
the study, several at once, the time until the fault was mended included. A row without a figure has not been played to its end yet.

${table}
${AFTER}`;
}

function seenOf({ seen }: FailureKind): string {
  return seen === undefined ? "none" : `[\`${seen}\`](../errors.md)`;
}

function endOf({ end, isDamageUnseen }: FailureKind): string {
  if (isDamageUnseen) return "delivered, **damaged, and nobody notices**";
  return end === "delivered" ? "delivered" : "failed: a person has it tried again";
}

const BEFORE = `# What breaks, and what comes of it

Written by \`npm run docs\` from the tables in \`test/chaos/\`, which \`npm run long\` plays against real servers: Orthanc, dcmtk, OpenSSH, an object store,
PostgreSQL and RabbitMQ, some behind a proxy that breaks connections. In each row one study of four images is on its way when something happens. It is seen to wait with
the code of the row (or to fail with it), what broke is mended, and the study goes on by itself. In the end each image is at the destination exactly once,
equal to the ledger and with the pixels that the archive had; nothing half is left there. The rows of RabbitMQ have six small studies, of which each is handed over and no message is left. \`npm test\` plays some of the rows.

## What to know

- **Plain connections do not protect pixels.** A byte that changes within an image on its way over DIMSE or HTTP without TLS is noticed by nobody: neither protocol
  has a checksum, and the rows say so. TLS protects: it ends a connection on which a byte has changed (RFC 8446 5.2). SFTP protects itself, and what an object
  store or a folder holds is compared by SHA-256. Use \`tls\` in [the settings](../settings.md) wherever a connection leaves the machine room.
- A change at the first byte, where a protocol has its types and lengths, is always noticed. Some ends of it are final (\`failed\`): such an answer is a fault of the
  other side's program rather than of the line. \`radferry study retry\` has it tried again.
- Silence costs time. We wait one to two minutes for a silent DICOM peer, half an hour for one that keeps answering a retrieval and gets nowhere, a minute for the rest of an HTTP answer, and five for its beginning: a server may need these to store what it was sent.
  \`answerTimeoutSeconds\` of an archive or a destination makes that shorter, or longer: set it to twice what the peer takes for its largest study. A silent RabbitMQ is left after 40 s.
- A disk that is full or can only be read is waited for: work goes on by itself when there is room. Where the store itself cannot be written, studies keep
  the state they had, and who asks for a change is answered \`STORE_FULL\`. Meanwhile \`/health/ready\` is 503 and names the code, \`radferry_store_writable\` is 0, every page of the
  dashboard and \`storeTrouble\` of \`GET /api/v1/overview\` say that all work stands still, \`radferry doctor\` fails, and the log says so once when it begins and once when it is over.
  A study that was under way goes on when its claim, which could not be written either, has run out after a minute.
- While PostgreSQL is away the API answers \`STORE_UNAVAILABLE\`; what was under way is done again where its account could not be written. Rows with silence were played with
  \`store.statementTimeoutSeconds: 5\`.
- Messages that RabbitMQ had not heard an answer to are brought again when it is back: a study may be handed over to PIXL's orthanc-anon a second time, and none is lost.

## The table

`;

const AFTER = `
Full disks are played where mounting is allowed, and skipped by name elsewhere.
`;
