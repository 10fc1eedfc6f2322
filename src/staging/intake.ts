import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { trimUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type CreateFile, openPartFile, type PartFile } from "./incoming-file.ts";
import { readStagedHeader, readStagedInstance } from "./read-staged-instance.ts";
import type { Removal } from "./removal.ts";
import type { IncomingFileOptions, InstanceIntake, StagedInstance, TakeElsewhere } from "./staging-area.ts";
import { rethrowStaging } from "./staging-error.ts";

export interface IntakeOptions {
  /** Where files grow, on the file system of their final place. */
  readonly folder: string;
  readonly createFile?: CreateFile | undefined;
  readonly remove?: Removal["remove"];
  /** Moves a whole instance from its path to its final place; answers where it is then. One that is there already stays, and this one is removed. */
  keep(instance: StagedInstance): Promise<StagedInstance>;
}

/** Takes instances in: byte by byte, or whole. */
export function createIntake(options: IntakeOptions): InstanceIntake {
  return {
    incoming: options.folder,
    begin: async (announced) => {
      const path = join(options.folder, `${randomUUID()}.part`);
      const part = await openPartFile(path, announced, options);
      return {
        write: (chunk) => part.write(chunk),
        commit: (admit, otherwise) => commit(options, part, announced, { admit, otherwise }),
        abort: () => part.discard(),
      };
    },
    adopt: (path, admit) => adopt(options, path, admit).catch(rethrowStaging),
  };
}

async function commit(
  { keep }: IntakeOptions,
  part: PartFile,
  announced: IncomingFileOptions,
  to: { readonly admit: (instance: StagedInstance) => boolean; readonly otherwise: TakeElsewhere | undefined },
): Promise<StagedInstance> {
  let isKept = false;
  try {
    await part.finish();
    const { instance, dataSet } = await readStagedHeader(part.path);
    if (
      instance.sopInstanceUid !== trimUid(announced.sopInstanceUid) ||
      instance.sopClassUid !== trimUid(announced.sopClassUid)
    ) {
      throw new GatewayError("INSTANCE_MISMATCH", { what: "UIDs of the command" });
    }
    if (to.admit(instance)) {
      const kept = await keep(instance);
      isKept = true;
      return kept;
    }
    if (to.otherwise === undefined) throw new GatewayError("INSTANCE_UNSOLICITED");
    return await to.otherwise(instance, dataSet);
  } catch (thrown) {
    return rethrowStaging(thrown);
  } finally {
    if (!isKept) await part.discard();
  }
}

async function adopt(
  { keep }: IntakeOptions,
  path: string,
  admit: (instance: StagedInstance) => boolean,
): Promise<StagedInstance> {
  const instance = await readStagedInstance(path);
  if (!admit(instance)) throw new GatewayError("INSTANCE_UNSOLICITED");
  return await keep(instance);
}
