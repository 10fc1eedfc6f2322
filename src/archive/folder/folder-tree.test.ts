import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { createFolderTree } from "./folder-tree.ts";

/** More than one call takes as arguments. */
const VERY_MANY = 130_000;

vi.mock("node:fs/promises", { spy: true });
afterEach(() => void vi.resetAllMocks());

it("looks through a folder with a folder for each of very many studies", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "study"));
  const [study] = await readdir(folder.path, { withFileTypes: true });
  const studies = Array.from({ length: VERY_MANY }, (_, number) => Object.create(study ?? null, named(`s${number}`)));
  vi.mocked(stat).mockResolvedValue(await stat(folder.path));
  vi.mocked(readdir).mockResolvedValue([]).mockResolvedValueOnce(studies);
  const look = createFolderTree(folder.path, createManualClock(0));
  expect(await look(true, neverAborted())).toMatchObject({ files: [] });
  // The first one here, the root, and each of them.
  expect(readdir).toHaveBeenCalledTimes(2 + VERY_MANY);
});

function named(name: string): PropertyDescriptorMap {
  return { name: { value: name } };
}
