import { createHash } from "node:crypto";
import { join } from "node:path";
import { attachmentProblem } from "../../deid/verification/attachment.ts";
import { verifyReplacement } from "../../deid/verification/replacement.ts";
import type { StudySearch } from "../../deid/verification/study-verification.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { AttachedFile } from "../../staging/attached-file.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { readStagedInstance } from "../../staging/read-staged-instance.ts";
import type { LedgerChange } from "../../store/records.ts";
import { makeFolders } from "../../units/make-folders.ts";
import type { Semaphore } from "../../units/semaphore.ts";
import { pauseFor, type StepContext, type StepResult } from "../step.ts";
import { type CollectedOutputs, collectOutputs, type OutputFile } from "./collect-outputs.ts";
import { HOOK_CONTRACT, type HookSettings } from "./hook.ts";
import type { Launch } from "./isolation.ts";
import { type CommandEnd, isBeyond, runCommand } from "./run-command.ts";
import {
  inputNameOf,
  isDone,
  isInputUnchanged,
  keepPrinted,
  markDone,
  prepareWorkspace,
  removeTree,
  type Workspace,
  workspaceOf,
} from "./workspace.ts";

/** A project's hook, ready to run. */
export interface ProjectHook {
  readonly settings: HookSettings;
  /** Where hooks work, a folder for each job. */
  readonly folder: string;
  /** Undefined: it cannot be run as it should be on this machine. */
  readonly launch: Launch | undefined;
  /** Its turns: `settings.parallel` at once. */
  readonly turns: Semaphore;
}

/** A study as its hook left it. */
export interface ProcessedStudy {
  readonly files: readonly DeidentifiedFile[];
  readonly attached: readonly AttachedFile[];
  /** For the study's report; undefined: the project has no hook. */
  readonly told: ProcessingReport | undefined;
  /** Set when nothing of the study may be delivered. */
  readonly end: StepResult | undefined;
}

export interface ProcessingReport {
  readonly contract: number;
  /** Instances that came back in another form. */
  readonly replaced: number;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly sizeBytes: number }[];
}

/** What the exit codes mean, as sysexits has them where it has any; every other one but 0 is a failure. docs/processing-hook.md. */
const EXIT_CODES: Readonly<Record<number, ErrorCode>> = { 65: "HOOK_REJECTED_STUDY", 75: "HOOK_TRY_LATER" };

const ENDS: Readonly<Record<Exclude<CommandEnd["kind"], "exited">, ErrorCode>> = {
  signalled: "HOOK_FAILED",
  "timed-out": "HOOK_TIMED_OUT",
  "output-limit": "HOOK_OUTPUT_LIMIT",
  "not-started": "HOOK_FAILED",
};

/**
 * Runs the project's hook on the study's de-identified copies and verifies what it made. Its output is kept until the study is delivered: a job that
 * was cut short while delivering finds it again, and what was delivered of it is not delivered in another form.
 * @throws GatewayError HOOK_TRY_LATER; the signal's reason
 */
export async function processStudy(
  context: StepContext,
  files: readonly DeidentifiedFile[],
  search: StudySearch | undefined,
): Promise<ProcessedStudy> {
  const { hook } = context.project;
  if (hook === undefined) return { files, attached: [], told: undefined, end: undefined };
  if (search === undefined) throw new GatewayError("INTERNAL", { what: "hook" });
  const { launch } = hook;
  if (launch === undefined) return stopped(files, pauseFor("HOOK_NOT_ISOLATED", context.services.retry));
  const workspace = workspaceOf(hook.folder, context.job.id);
  try {
    const key = keyOf(context, files);
    const isKept = await isDone(workspace, key);
    const failure = isKept ? undefined : await runHook(context, { ...hook, launch }, workspace, files);
    const judged = failure ?? (await judge(context, hook.settings, workspace, { files, search }));
    if ("code" in judged) {
      await keepPrinted(workspace);
      return stopped(files, quarantine(judged));
    }
    if (!isKept) await markDone(workspace, key, [...judged.replacements, ...judged.attached]);
    return await accepted(context, files, judged);
  } catch (thrown) {
    await removeUnlessDone(workspace, files, context);
    throw thrown;
  }
}

/** When the study is where it should be, or wanted no more. */
export async function forgetProcessing({ project: { hook }, job }: StepContext): Promise<void> {
  if (hook !== undefined) await removeTree(workspaceOf(hook.folder, job.id).folder);
}

interface Refusal {
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, string | number>>;
}

interface Judged {
  readonly replacements: readonly DeidentifiedFile[];
  readonly attached: readonly AttachedFile[];
}

function stopped(files: readonly DeidentifiedFile[], end: StepResult): ProcessedStudy {
  return { files, attached: [], told: undefined, end };
}

function quarantine({ code, detail }: Refusal): StepResult {
  return {
    kind: "end",
    state: "quarantined",
    code,
    change: { events: [{ event: "processing hook refused", detail: { code, ...detail } }] },
  };
}

/** Of what the output is: of these copies, by this program. */
function keyOf(context: StepContext, files: readonly DeidentifiedFile[]): string {
  const { command, outputs } = context.project.hook?.settings ?? { command: [], outputs: "both" };
  const of = [HOOK_CONTRACT, command, outputs, files.map((file) => [inputNameOf(file), file.sha256])];
  return createHash("sha256").update(JSON.stringify(of)).digest("hex");
}

async function removeUnlessDone(workspace: Workspace, files: readonly DeidentifiedFile[], context: StepContext) {
  if (!(await isDone(workspace, keyOf(context, files)))) await removeTree(workspace.folder);
}

/** Why the study may not go on; undefined: the hook is done. */
async function runHook(
  context: StepContext,
  { settings, launch, turns }: ProjectHook & { readonly launch: Launch },
  workspace: Workspace,
  files: readonly DeidentifiedFile[],
): Promise<Refusal | undefined> {
  const { job, signal, write, services } = context;
  using _turn = await turns.acquire(signal);
  await prepareWorkspace(workspace, files, describe(context, files));
  const startedMs = services.clock.nowMs();
  const environment = environmentOf(context, files, workspace);
  const end = await runCommand({ hook: settings, launch, workspace, environment }, signal);
  const tookMs = services.clock.nowMs() - startedMs;
  if (!(await isInputUnchanged(workspace, files, signal))) return { code: "HOOK_CHANGED_INPUT", detail: { tookMs } };
  if (end.kind !== "exited") return { code: ENDS[end.kind], detail: { end: end.kind, tookMs } };
  if (end.code !== 0) {
    const code = EXIT_CODES[end.code] ?? "HOOK_FAILED";
    if (code === "HOOK_TRY_LATER") throw new GatewayError(code, { job: job.id });
    return { code, detail: { exit: end.code, tookMs } };
  }
  const limits = { bytes: settings.maximumOutputBytes, files: settings.maximumOutputFiles };
  if (await isBeyond([workspace.output], limits)) return { code: "HOOK_OUTPUT_LIMIT", detail: { tookMs } };
  for (const folder of [workspace.input, workspace.scratch]) await removeTree(folder);
  await write({ events: [{ event: "processing hook done", detail: { tookMs } }] });
  return undefined;
}

function describe({ project }: StepContext, files: readonly DeidentifiedFile[]): object {
  const [first] = files;
  return {
    contract: HOOK_CONTRACT,
    project: project.name,
    pseudonym: first?.pseudonym,
    studyInstanceUid: first?.studyInstanceUid,
    instances: files.map((file) => ({
      path: inputNameOf(file),
      seriesInstanceUid: file.seriesInstanceUid,
      sopInstanceUid: file.sopInstanceUid,
      sopClassUid: file.sopClassUid,
      transferSyntaxUid: file.transferSyntaxUid,
      sizeBytes: file.sizeBytes,
      sha256: file.sha256,
    })),
  };
}

function environmentOf({ project }: StepContext, [first]: readonly DeidentifiedFile[], workspace: Workspace) {
  return {
    RADFERRY_CONTRACT: String(HOOK_CONTRACT),
    RADFERRY_PROJECT: project.name,
    RADFERRY_PSEUDONYM: first?.pseudonym ?? "",
    RADFERRY_STUDY_INSTANCE_UID: first?.studyInstanceUid ?? "",
    RADFERRY_INPUT: workspace.input,
    RADFERRY_OUTPUT: workspace.output,
    RADFERRY_STUDY: workspace.description,
  };
}

interface Made {
  readonly files: readonly DeidentifiedFile[];
  readonly search: StudySearch;
}

/** Nothing of the output leaves that was not looked at here. */
async function judge(
  context: StepContext,
  { outputs }: HookSettings,
  workspace: Workspace,
  made: Made,
): Promise<Judged | Refusal> {
  const collected: CollectedOutputs = await collectOutputs(workspace.output, outputs, context.signal);
  if (collected.kind === "refused") return refused(collected.reason);
  await makeFolders(workspace.accepted);
  const replacements = new Map<string, DeidentifiedFile>();
  for (const output of collected.instances) {
    const verdict = await judgeInstance(context, output, { ...made, folder: workspace.accepted });
    if (typeof verdict === "string") return refused(verdict);
    if (replacements.has(verdict.sopInstanceUid)) return refused("instance-twice");
    replacements.set(verdict.sopInstanceUid, verdict);
  }
  const folder = attachmentFolderOf(made.files);
  const attached: AttachedFile[] = [];
  for (const { name, path, sizeBytes, sha256 } of collected.files) {
    const problem = await attachmentProblem({ name, path, sizeBytes, search: made.search }, context.signal);
    if (problem !== undefined) return refused(problem);
    attached.push({ name: `${folder}/${name}`, path, sizeBytes, sha256 });
  }
  return { replacements: [...replacements.values()], attached };
}

function refused(reason: string): Refusal {
  return { code: "HOOK_OUTPUT_REFUSED", detail: { reason } };
}

/** The instance to deliver, or why it may not be. */
async function judgeInstance(
  { project, signal }: StepContext,
  { path }: OutputFile,
  { files, search, folder }: Made & { readonly folder: string },
): Promise<DeidentifiedFile | string> {
  const read = await readStagedInstance(path).catch((thrown: unknown) => {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  });
  if (read === undefined) return "instance-unreadable";
  const copy = files.find(({ sopInstanceUid }) => sopInstanceUid === read.sopInstanceUid);
  if (copy === undefined) return "instance-unknown";
  const { rules } = project.profile;
  const outputPath = join(folder, `${copy.sopInstanceUid}.dcm`);
  const verdict = await verifyReplacement({ copy, path, outputPath, rules, search }, signal);
  return verdict.kind === "accepted" ? verdict.file : verdict.reason;
}

/** The same for the same instances: of a study that came in parts, or of two that became one, each part has its own. */
function attachmentFolderOf(files: readonly DeidentifiedFile[]): string {
  const uids = files.map(({ sopInstanceUid }) => sopInstanceUid).sort();
  return `processed/${createHash("sha256").update(uids.join("\n")).digest("hex").slice(0, 12)}`;
}

/** The account tells of the bytes that are delivered. */
async function accepted(
  { services, job, write }: StepContext,
  files: readonly DeidentifiedFile[],
  { replacements, attached }: Judged,
): Promise<ProcessedStudy> {
  const replacing = new Map<string, DeidentifiedFile>(replacements.map((file) => [file.sopInstanceUid, file]));
  const changes: LedgerChange[] = [];
  for (const { sopInstanceUid, pseudoSopInstanceUid = "" } of await services.store.ledger(job.id)) {
    const file = replacing.get(pseudoSopInstanceUid);
    if (file === undefined) continue;
    changes.push({ kind: "deidentified", sopInstanceUid, pseudoSopInstanceUid, sha256: file.sha256 });
  }
  if (changes.length > 0) await write({ ledger: changes });
  return {
    files: files.map((file) => replacing.get(file.sopInstanceUid) ?? file),
    attached,
    told: {
      contract: HOOK_CONTRACT,
      replaced: replacements.length,
      files: attached.map(({ name, sha256, sizeBytes }) => ({ path: name, sha256, sizeBytes })),
    },
    end: undefined,
  };
}
