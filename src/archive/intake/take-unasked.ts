import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { textOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StagedInstance, StagingArea, WholeInstance } from "../../staging/staging-area.ts";
import type { IntakeInstance, IntakePatience, IntakeStore } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import { together } from "../../units/together.ts";
import type { IntakeFiles } from "./intake-files.ts";
import type { IntakeRules, Sender } from "./rules.ts";

/** Instances that are written down together. */
const NOTED_AT_ONCE = 256;
/** How full the disk is, is looked at this often. */
const LOOK_EVERY_MS = 200;

export interface TakerOptions {
  readonly rules: IntakeRules;
  readonly patience: () => IntakePatience;
  readonly files: Pick<IntakeFiles, "keep">;
  readonly store: Pick<IntakeStore, "addIntakeInstances">;
  readonly staging: Pick<StagingArea, "isBelowReserve">;
  readonly clock: Clock;
  /** An open study has become due at another time. */
  readonly onChange: () => void;
}

/** A whole instance that nobody asked for, in memory or in a file. */
export interface UnaskedInstance extends Pick<WholeInstance, "dataSet" | "pieces"> {
  readonly instance: Omit<StagedInstance, "modality" | "transferSyntaxUid" | "sizeBytes">;
}

/** @throws GatewayError INTAKE_REFUSED with the `reason` for the sender, STAGING_FULL, STAGING_UNAVAILABLE, STORE_… */
export type TakeUnasked = (unasked: UnaskedInstance, sender: Sender) => Promise<void>;

/**
 * Keeps the instance, then writes it down; only when both are on disk may the sender be told that it was taken. What comes at the same moment shares
 * the syncs of both.
 */
export function takeUnasked(options: TakerOptions): TakeUnasked {
  const { rules, patience, files, store, clock, onChange } = options;
  const isBelowReserve = lookNowAndThen(options);
  const note = together<IntakeInstance, boolean>(
    (instances) => store.addIntakeInstances(instances, patience(), clock.nowMs()),
    NOTED_AT_ONCE,
  );
  return async ({ instance, dataSet, pieces }, sender) => {
    const { rule, ...facts } = judge(rules, sender, dataSet);
    if (rule?.refuse !== undefined) throw new GatewayError("INTAKE_REFUSED", { rule: rule.name, reason: rule.refuse });
    if (rule?.project !== undefined && !mayBring(sender, rule.project))
      throw new GatewayError("INTAKE_REFUSED", { rule: rule.name, reason: "Not for a project of this token" });
    if (await isBelowReserve()) throw new GatewayError("STAGING_FULL");
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sopClassUid, path } = instance;
    const isNew = await files.keep(pieces === undefined ? { path } : { pieces }, (file) =>
      note({
        ...{ studyInstanceUid, seriesInstanceUid, sopInstanceUid, sopClassUid },
        ...facts,
        file,
        callingAeTitle: sender.token ?? sender.callingAeTitle ?? "",
        project: rule?.project,
        rule: rule?.name,
      }),
    );
    if (isNew) onChange();
  };
}

/** The disk is asked once for all who come within a moment. */
function lookNowAndThen({ staging, clock }: Pick<TakerOptions, "staging" | "clock">): () => Promise<boolean> {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let look: Promise<boolean> | undefined;
  return () => {
    const nowMs = clock.nowMs();
    if (look !== undefined && nowMs >= lookedAtMs && nowMs < lookedAtMs + LOOK_EVERY_MS) return look;
    lookedAtMs = nowMs;
    look = staging.isBelowReserve();
    return look;
  };
}

function judge(rules: IntakeRules, sender: Sender, dataSet: DataSet) {
  return {
    rule: rules(sender, dataSet),
    modality: textOf(dataSet, tags.Modality) ?? "",
    patientId: textOf(dataSet, tags.PatientID)?.trim() ?? "",
    accessionNumber: textOf(dataSet, tags.AccessionNumber)?.trim() ?? "",
  };
}

function mayBring({ projects }: Sender, project: string): boolean {
  return projects?.includes(project) !== false;
}
