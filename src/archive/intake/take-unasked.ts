import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { textOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StagedInstance, StagingArea } from "../../staging/staging-area.ts";
import { rethrowStaging } from "../../staging/staging-error.ts";
import type { IntakePatience, IntakeStore } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import type { IntakeFiles } from "./intake-files.ts";
import type { IntakeRules, Sender } from "./rules.ts";

/** Longer values are skipped: no rule asks for them. */
const HELD_BYTES = 4_096;

export interface TakerOptions {
  readonly rules: IntakeRules;
  readonly patience: () => IntakePatience;
  readonly files: IntakeFiles;
  readonly store: Pick<IntakeStore, "addIntakeInstance">;
  readonly staging: Pick<StagingArea, "isBelowReserve">;
  readonly clock: Clock;
  /** An open study has become due at another time. */
  readonly onChange: () => void;
}

/** A whole instance, before it is looked at closely. */
export type UnaskedInstance = Omit<StagedInstance, "modality" | "transferSyntaxUid" | "sizeBytes">;

/**
 * Takes a whole instance that nobody asked for; answers where its file is then.
 * @param dataSet of its header, where it was read already
 */
export type TakeUnasked = (instance: UnaskedInstance, sender: Sender, dataSet?: DataSet) => Promise<string>;

/**
 * Keeps the file, then writes it down; only when both are on disk may the sender be told that it was taken.
 * @returns throws GatewayError INTAKE_REFUSED with the `reason` for the sender, STAGING_FULL, STAGING_UNAVAILABLE, STORE_…
 */
export function takeUnasked(options: TakerOptions): TakeUnasked {
  const { rules, patience, files, store, staging, clock, onChange } = options;
  return async (instance, sender, read) => {
    const { rule, ...facts } = judge(rules, sender, read ?? (await readHeader(instance)));
    if (rule?.refuse !== undefined) throw new GatewayError("INTAKE_REFUSED", { rule: rule.name, reason: rule.refuse });
    if (rule?.project !== undefined && !mayBring(sender, rule.project))
      throw new GatewayError("INTAKE_REFUSED", { rule: rule.name, reason: "Not for a project of this token" });
    if (await staging.isBelowReserve()) throw new GatewayError("STAGING_FULL");
    const file = await files.keep(instance.path).catch(rethrowStaging);
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sopClassUid } = instance;
    const kept = {
      ...{ studyInstanceUid, seriesInstanceUid, sopInstanceUid, sopClassUid },
      ...facts,
      file,
      callingAeTitle: sender.token ?? sender.callingAeTitle ?? "",
      project: rule?.project,
      rule: rule?.name,
    };
    if (await store.addIntakeInstance(kept, patience(), clock.nowMs())) onChange();
    else await files.remove(file);
    return files.pathOf(file);
  };
}

async function readHeader({ path }: UnaskedInstance): Promise<DataSet> {
  await using file = await readPart10File(path, { bulkThresholdBytes: HELD_BYTES });
  return file.dataSet;
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
