import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { isMissing } from "../../units/durable-files.ts";
import { rethrowDestination } from "./destination-error.ts";

/** The folder that everything of a destination lies below. Where it is missing, a disk or a share is most often not mounted. */
export interface DestinationFolder {
  readonly name: string;
  readonly path: string;
  /** Whether it is missing, and the folder above it is not: it may be new, or lie on what is not mounted. */
  canBeMade(): Promise<boolean>;
  /** Makes the folder, and none above it. @throws as `require` */
  make(): Promise<void>;
  /**
   * Asked before anything is looked up, written or removed: what is not mounted seems empty, and what is written in its place fills another disk.
   * @throws GatewayError DESTINATION_FOLDER_MISSING, DESTINATION_NOT_WRITABLE, DESTINATION_UNAVAILABLE
   */
  require(): Promise<void>;
}

export function destinationFolder({ name, path }: Pick<DestinationFolder, "name" | "path">): DestinationFolder {
  const rethrow = rethrowDestination(name);
  let wasMounted = false;
  const look = async (): Promise<"there" | "missing"> => {
    try {
      const [here, above] = [await stat(path), await stat(dirname(path))];
      if (!here.isDirectory()) throw new GatewayError("DESTINATION_NOT_WRITABLE", { destination: name });
      const isMounted = here.dev !== above.dev;
      // The empty folder that a share was mounted on is not the share.
      if (wasMounted && !isMounted) return "missing";
      wasMounted = isMounted;
      return "there";
    } catch (thrown) {
      return isMissing(thrown) ? "missing" : rethrow(thrown);
    }
  };
  const require = async (): Promise<void> => {
    if ((await look()) === "missing") throw new GatewayError("DESTINATION_FOLDER_MISSING", { destination: name });
  };
  return {
    name,
    path,
    async canBeMade() {
      if ((await look()) === "there") return false;
      const above = await stat(dirname(path)).catch((thrown: unknown) =>
        isMissing(thrown) ? undefined : rethrow(thrown),
      );
      return above?.isDirectory() === true;
    },
    async make() {
      if ((await look()) === "there") return;
      // Where the folder above is missing, too, that is what is told.
      await mkdir(path).catch((thrown: unknown) => (isMissing(thrown) ? undefined : rethrow(thrown)));
      await require();
    },
    require,
  };
}
