import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { trimUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type CreateFile, createPartFile, type PartFile } from "./incoming-file.ts";
import { readHeldHeader, readStagedHeader, readStagedInstance } from "./read-staged-instance.ts";
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
    begin: (announced) => {
      const part = createPartFile(join(options.folder, `${randomUUID()}.part`), announced, options);
      return Promise.resolve({
        write: (chunk) => part.write(chunk),
        commit: (admit, otherwise) => commit(options, part, announced, { admit, otherwise }),
        abort: () => part.discard(),
      });
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
    const pieces = await part.finish();
    const { instance, dataSet } = await (pieces === undefined
      ? readStagedHeader(part.path)
      : readHeldHeader(pieces, part.path));
    if (
      instance.sopInstanceUid !== trimUid(announced.sopInstanceUid) ||
      instance.sopClassUid !== trimUid(announced.sopClassUid)
    ) {
      throw new GatewayError("INSTANCE_MISMATCH", { what: "UIDs of the command" });
    }
    if (to.admit(instance)) {
      if (pieces !== undefined) await part.store();
      const kept = await keep(instance);
      isKept = true;
      return kept;
    }
    if (to.otherwise === undefined) throw new GatewayError("INSTANCE_UNSOLICITED");
    await to.otherwise({ instance, dataSet, pieces });
    isKept = true;
    part.release();
    return instance;
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
