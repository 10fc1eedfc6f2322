import { tags } from "../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { textOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { IncomingInstance } from "../../network/dimse/service-types.ts";
import type { StagedInstance, StagingArea } from "../../staging/staging-area.ts";
import { rethrowStaging } from "../../staging/staging-error.ts";
import type { IntakePatience, IntakeStore } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import type { IntakeFiles } from "./intake-files.ts";
import type { IntakeRules } from "./rules.ts";

/** Longer values are skipped: no rule asks for them. */
const HELD_BYTES = 4_096;

export interface TakerOptions {
  readonly rules: IntakeRules;
  readonly patience: IntakePatience;
  readonly files: IntakeFiles;
  readonly store: Pick<IntakeStore, "addIntakeInstance">;
  readonly staging: Pick<StagingArea, "isBelowReserve">;
  readonly clock: Clock;
  /** An open study has become due at another time. */
  readonly onChange: () => void;
}

/** Takes a whole instance that nobody asked for. */
export type TakeUnasked = (instance: StagedInstance, incoming: IncomingInstance) => Promise<StagedInstance>;

/**
 * Keeps the file, then writes it down; only when both are on disk may the sender be told that it was taken.
 * @returns throws GatewayError INTAKE_REFUSED with the `reason` for the sender, STAGING_FULL, STAGING_UNAVAILABLE, STORE_…
 */
export function takeUnasked(options: TakerOptions): TakeUnasked {
  const { rules, patience, files, store, staging, clock, onChange } = options;
  return async (instance, incoming) => {
    const { rule, patientId, accessionNumber } = await judge(rules, instance, incoming);
    if (rule?.refuse !== undefined) throw new GatewayError("INTAKE_REFUSED", { rule: rule.name, reason: rule.refuse });
    if (await staging.isBelowReserve()) throw new GatewayError("STAGING_FULL");
    const file = await files.keep(instance.path).catch(rethrowStaging);
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sopClassUid, modality } = instance;
    const kept = {
      ...{
        studyInstanceUid,
        seriesInstanceUid,
        sopInstanceUid,
        sopClassUid,
        modality,
        patientId,
        accessionNumber,
        file,
      },
      callingAeTitle: incoming.callingAeTitle,
      project: rule?.project,
      rule: rule?.name,
    };
    if (await store.addIntakeInstance(kept, patience, clock.nowMs())) onChange();
    else await files.remove(file);
    return { ...instance, path: files.pathOf(file) };
  };
}

async function judge(rules: IntakeRules, { path }: StagedInstance, incoming: IncomingInstance) {
  await using file = await readPart10File(path, { bulkThresholdBytes: HELD_BYTES });
  const { dataSet } = file;
  return {
    rule: rules(incoming, dataSet),
    patientId: textOf(dataSet, tags.PatientID)?.trim() ?? "",
    accessionNumber: textOf(dataSet, tags.AccessionNumber)?.trim() ?? "",
  };
}
