import { expect, it } from "vitest";
import { findCorpus } from "../peers/corpus.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { corpusObjectsByKind, VALIDATED_PROFILES, validateOutputs } from "../support/validated-objects.ts";

const corpus = findCorpus();
const EVERYTHING = { perClass: Number.MAX_SAFE_INTEGER, largestBytes: Number.MAX_SAFE_INTEGER };

it.runIf(corpus !== undefined && requirePeer("dciodvfy")).each(VALIDATED_PROFILES)(
  "no object of the corpus has an error of dciodvfy that it came without: %s",
  async (profile) => {
    await using folder = await temporaryFolder();
    const objects = await corpusObjectsByKind(corpus ?? "", EVERYTHING);
    const { outputs, added } = await validateOutputs(profile, objects, folder.path);
    expect(added).toEqual([]);
    expect(outputs).toBeGreaterThan(100);
  },
);
