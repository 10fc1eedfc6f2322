import { join } from "node:path";
import type { Archive } from "../archive/archive.ts";
import type { InstanceTaker } from "../archive/http/staging-store.ts";
import { type AskerOptions, askArchives } from "../archive/intake/ask-archives.ts";
import { createCommitment } from "../archive/intake/commit-to.ts";
import { createIntakeArchive } from "../archive/intake/intake-archive.ts";
import { openIntakeFiles } from "../archive/intake/intake-files.ts";
import { type DueQueue, queueWhenDue } from "../archive/intake/queue-when-due.ts";
import { type IntakeRules, readIntakeRules } from "../archive/intake/rules.ts";
import { createIntakeSweep } from "../archive/intake/sweep-intake.ts";
import { type TakeParts, takeParts } from "../archive/intake/take-parts.ts";
import { type TakeUnasked, takeUnasked } from "../archive/intake/take-unasked.ts";
import type { Settings } from "../config/settings.ts";
import type { IntakeSettings } from "../config/settings-intake.ts";
import { type DicomAddress, parseAeTitle } from "../dicom/ae-title.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../dicom/dictionary/transfer-syntaxes.ts";
import { openAssociation } from "../network/dimse/association.ts";
import { STORAGE_COMMITMENT_SOP_CLASS } from "../network/dimse/service-classes.ts";
import type { CommitmentRequestHandler, CommitmentResult } from "../network/dimse/service-types.ts";
import { openShredding, plainRemoval } from "../staging/removal.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import { createWriteThread } from "../staging/write-thread/write-thread.ts";
import type { IntakePatience } from "../store/intake.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import type { Random } from "../units/random.ts";

/** What takes in studies that are sent to us unasked. */
export interface Intake {
  readonly take: TakeUnasked;
  /** The same, of what comes by STOW-RS. */
  readonly takeParts: TakeParts;
  readonly commitmentRequest: CommitmentRequestHandler;
  /** What was sent for a project. */
  archiveOf(project: string): Archive;
  /** Studies that have gone quiet become jobs until it is disposed; `archive` has those that can be asked what a study should hold. */
  queue(archive: AskerOptions["archive"]): AsyncDisposable;
  /** From now on these hold, for what comes and for what waits. @throws GatewayError ACCEPTANCE_RULE_INVALID, with nothing changed */
  change(settings: IntakeSettings): void;
  /** Removes what nobody needs any more and nothing was added to for so long. */
  sweep(keepMs: number): Promise<void>;
}

interface Parts {
  readonly settings: Settings;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

/** In the role of the SCP, under the name that we were asked by. PS3.4 J.3.3, PS3.7 D.3.3.4. */
async function reportCommitment(
  { address, calledAeTitle }: { readonly address: DicomAddress; readonly calledAeTitle: string },
  result: CommitmentResult,
  signal: AbortSignal,
): Promise<{ readonly status: number }> {
  const transferSyntaxUids = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
  await using association = await openAssociation({
    address,
    callingAeTitle: parseAeTitle(calledAeTitle),
    contexts: [{ abstractSyntaxUid: STORAGE_COMMITMENT_SOP_CLASS, transferSyntaxUids, role: "scp" }],
    signal,
  });
  return await association.reportCommitment(result, signal);
}

/** What holds at this moment. */
interface InForce {
  readonly rules: IntakeRules;
  readonly patience: IntakePatience;
  readonly commitTo: readonly DicomAddress[];
  /** By the names of the rules. */
  readonly archiveNames: ReadonlyMap<string, string>;
}

function inForceOf({ rules, commitTo, quietSeconds, longestSeconds }: IntakeSettings): InForce {
  return {
    rules: readIntakeRules(rules),
    patience: { quietMs: quietSeconds * 1_000, longestMs: longestSeconds * 1_000 },
    commitTo,
    archiveNames: new Map(rules.flatMap(({ name, archive }) => (archive === undefined ? [] : [[name, archive]]))),
  };
}

/** Undefined where the settings take nothing in. @throws GatewayError STORE_…, ACCEPTANCE_RULE_INVALID */
export async function openIntake(
  { settings, store, clock, logger, random }: Parts,
  staging: StagingArea,
  opened: AsyncDisposableStack,
): Promise<Intake | undefined> {
  if (settings.intake === undefined) return undefined;
  const { path, shred } = settings.staging;
  const removal = shred ? await openShredding(join(path, "leaving-intake")) : plainRemoval;
  const { write: writePacked } = opened.use(createWriteThread());
  const files = opened.use(await openIntakeFiles(join(path, "intake"), { store, clock, ...removal, writePacked }));
  let now = inForceOf(settings.intake);
  let queue: DueQueue | undefined;
  const look = (): void => queue?.look();
  const patience = (): IntakePatience => now.patience;
  const taker: Pick<InstanceTaker, "staging" | "random"> = { staging, random };
  const rules: IntakeRules = (...sent) => now.rules(...sent);
  const take = takeUnasked({ rules, patience, files, store, staging, clock, onChange: look });
  if (settings.store.kind === "sqlite") await store.hurryCommitments(clock.nowMs());
  const commitment = opened.use(
    createCommitment({
      store,
      addressOf: (aeTitle) => now.commitTo.find((address) => address.aeTitle === aeTitle),
      report: reportCommitment,
      clock,
      logger,
    }),
  );
  return {
    take,
    commitmentRequest: commitment.handler,
    takeParts: takeParts({ staging, take, clock, random, logger }),
    archiveOf: (project) => createIntakeArchive(project, { store, files, taker }),
    queue(archive) {
      const asker = askArchives({ store, archive, archiveNames: () => now.archiveNames });
      queue = queueWhenDue({ store, patience, asker, clock, logger });
      return queue;
    },
    change(intake) {
      now = inForceOf(intake);
      look();
    },
    sweep: createIntakeSweep({ store, files, clock }),
  };
}
