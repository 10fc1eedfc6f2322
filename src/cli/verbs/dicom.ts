import { type Command, Option } from "commander";
import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import type { Cli } from "../cli.ts";
import { examples } from "../help.ts";
import {
  addressArgument,
  aeTitleOption,
  anyLevelOption,
  collect,
  maximumOption,
  modelOption,
  portOption,
  secondsOption,
} from "../option-parsers.ts";
import type { CommitOptions } from "./dicom/commit.ts";
import { withConnectionOptions, withListenerOptions } from "./dicom/connection-options.ts";
import type { FindOptions } from "./dicom/find.ts";
import type { GetOptions } from "./dicom/get.ts";
import type { MoveOptions } from "./dicom/move.ts";
import type { PeerOptions } from "./dicom/peer.ts";
import { addRad69 } from "./dicom/rad69-options.ts";
import type { ReceiveOptions } from "./dicom/receive.ts";
import type { SyncPolicy } from "./dicom/receive-sync.ts";
import { addWebVerbs } from "./dicom/web-verbs.ts";

const USUAL_AE_TITLE = "RADFERRY";
const KEY_EXAMPLE = "-k PatientID=4711 -k StudyDate=20260101-20260131";
const UID_EXAMPLE = "-k StudyInstanceUID=1.2.3";

/** Each verb's code is loaded when it is called: `dicom dump` needs no network code, nothing here needs a configuration. */
export function addDicomVerbs(program: Command, cli: Cli): void {
  const dicom = program.command("dicom").description("a DICOM toolkit; needs no configuration file");
  addFileVerbs(dicom, cli);
  addCommit(dicom, cli);
  addQueryVerbs(dicom, cli);
  addReceive(dicom, cli);
  addWebVerbs(dicom, cli);
  addRad69(dicom, cli);
}

/** A verb that asks a peer. */
function peerVerb(dicom: Command, name: string, description: string): Command {
  const command = dicom
    .command(name)
    .description(description)
    .argument("<peer>", "AET@host:port", addressArgument)
    .option("--calling <ae>", "our AE title", aeTitleOption, aeTitleOption(USUAL_AE_TITLE));
  return withConnectionOptions(command);
}

function addFileVerbs(dicom: Command, cli: Cli): void {
  dicom
    .command("dump")
    .description("show what files hold; exit code 3 when one is malformed")
    .argument("<files...>")
    .addHelpText("after", examples("dicom dump image.dcm", "dicom dump *.dcm --json   (one document a line)"))
    .action(
      cli.verb(async (files: readonly string[]) => {
        const { dump } = await import("./dicom/dump.ts");
        return await dump(cli, files);
      }),
    );
  peerVerb(dicom, "store", "send files and folders (C-STORE); exit code 3 when some could not be sent")
    .argument("<paths...>", "files, and folders with all that is in them")
    .addHelpText("after", examples("dicom store STORE@127.0.0.1:4242 study/ extra.dcm --calling MODALITY"))
    .action(
      cli.verb(async (peer: DicomAddress, paths: readonly string[], options: PeerOptions) => {
        const { store } = await import("./dicom/store.ts");
        return await store(cli, peer, paths, options);
      }),
    );
}

const COMMIT_HELP = `
Most archives bring their answer over an association of their own: to the AE title of --calling, at the port of --listen,
as they have it in their configuration. Exit code 3 when they commit to some of the instances only, 1 when to none.
`;

function addCommit(dicom: Command, cli: Cli): void {
  peerVerb(dicom, "commit", "ask an archive to commit to keeping what it was sent (storage commitment)")
    .argument("<paths...>", "files, and folders with all that is in them")
    .option("--listen <n>", "port where the archive reports to us", portOption)
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--timeout <s>", "seconds to wait for its report", secondsOption, 60)
    .addHelpText(
      "after",
      COMMIT_HELP + examples("dicom commit VNA@10.0.0.5:104 study/ --calling RADFERRY --listen 11112"),
    )
    .action(
      cli.verb(async (peer: DicomAddress, paths: readonly string[], options: CommitOptions) => {
        const { commit } = await import("./dicom/commit.ts");
        return await commit(cli, peer, paths, options);
      }),
    );
}

function addQueryVerbs(dicom: Command, cli: Cli): void {
  peerVerb(dicom, "echo", "ask whether a peer answers (C-ECHO)")
    .addHelpText("after", examples("dicom echo VNA@10.0.0.5:104"))
    .action(
      cli.verb(async (peer: DicomAddress, options: PeerOptions) => {
        const { echo } = await import("./dicom/echo.ts");
        return await echo(cli, peer, options);
      }),
    );
  withKeys(peerVerb(dicom, "find", "search a peer (C-FIND)"), "what is listed")
    .addOption(maximumOption())
    .addHelpText("after", examples(`dicom find VNA@10.0.0.5:104 ${KEY_EXAMPLE}`))
    .action(
      cli.verb(async (peer: DicomAddress, options: FindOptions) => {
        const { find } = await import("./dicom/find.ts");
        return await find(cli, peer, options);
      }),
    );
  withKeys(peerVerb(dicom, "move", "have a peer send to an AE title that it knows (C-MOVE)"), "what is moved")
    .requiredOption("--dest <ae>", "where the peer is to send to", aeTitleOption)
    .addHelpText("after", examples(`dicom move VNA@10.0.0.5:104 ${UID_EXAMPLE} --dest STORE`))
    .action(
      cli.verb(async (peer: DicomAddress, options: MoveOptions) => {
        const { move } = await import("./dicom/move.ts");
        return await move(cli, peer, options);
      }),
    );
  withKeys(peerVerb(dicom, "get", "fetch from a peer (C-GET) as DIR/<SOP Instance UID>.dcm"), "what is fetched")
    .requiredOption("--out <dir>", "where the files go; made when it is missing")
    .addHelpText("after", examples(`dicom get VNA@10.0.0.5:104 ${UID_EXAMPLE} --out study`))
    .action(
      cli.verb(async (peer: DicomAddress, options: GetOptions) => {
        const { get } = await import("./dicom/get.ts");
        return await get(cli, peer, options);
      }),
    );
}

function withKeys(command: Command, levelDescription: string): Command {
  return command
    .option("-k, --key <keyword=value>", "key to match; may be given several times", collect, [])
    .addOption(anyLevelOption(levelDescription))
    .addOption(modelOption());
}

const SYNC_POLICIES: readonly SyncPolicy[] = ["instance", "association"];
const SYNC_HELP = "put files on disk before each instance is acknowledged, or together when their association ends";

const RECEIVE_HELP = `
Prints a line with its port when it is ready. Idle means that no association is open.
What is acknowledged is on disk. With --sync association it is on disk when its association has ended, and a power cut
before can cost it or cut it short: small objects arrive several times as fast.
SIGTERM ends it with 0.
`;

function addReceive(dicom: Command, cli: Cli): void {
  const usualAeTitle: AeTitle = aeTitleOption(USUAL_AE_TITLE);
  const command = dicom
    .command("receive")
    .description("store what is sent here (C-STORE) as DIR/<SOP Instance UID>.dcm")
    .requiredOption("--port <n>", "port to listen on; 0 takes any free one", portOption)
    .requiredOption("--out <dir>", "where the files go; made when it is missing")
    .option("--aet <ae>", "our AE title; others that are called are answered too", aeTitleOption, usualAeTitle)
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--exit-after-idle <s>", "end after so many seconds without an association", secondsOption)
    .addOption(new Option("--sync <when>", SYNC_HELP).choices(SYNC_POLICIES).default(SYNC_POLICIES[0]));
  withListenerOptions(command)
    .addHelpText("after", RECEIVE_HELP + examples("dicom receive --port 11112 --aet STORE --out incoming"))
    .action(
      cli.verb(async (options: ReceiveOptions) => {
        const { receive } = await import("./dicom/receive.ts");
        return await receive(cli, options);
      }),
    );
}
