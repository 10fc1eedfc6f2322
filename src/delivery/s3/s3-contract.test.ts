import { createHash } from "node:crypto";
import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeCertificate } from "../../../test/peers/certificates.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { type S3Peer, startS3Server } from "../../../test/peers/s3-server.ts";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { deliveryOf, PSEUDONYM, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { S3Server } from "../../network/s3/s3-client.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { type DestinationScene, destinationContract, type SceneOptions } from "../destination-contract.testing.ts";
import { deliverStudy } from "../receipts.ts";
import { s3Inspector } from "./inspect-s3.ts";
import { createS3Destination, type S3DestinationOptions } from "./s3-destination.ts";

const signal = neverAborted();
/** How s3rver names the content of an object. */
const CONTENT = /([0-9.]+)\.dcm\._S3rver_object$/;

function serverAt({ bucket, accessKeyId, secretAccessKey }: S3Peer, endpoint: string): S3Server {
  const login = { bucket, accessKeyId, secretAccessKey };
  return { endpoint, region: "eu-west-2", ...login, usesPathStyle: true, tls: {} };
}

/** Those beside the instances of a study. */
const ATTACHED = /\/(processed\/.+)\._S3rver_object$/;

async function attachedOf({ folder }: S3Peer): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const [, name] = ATTACHED.exec(path) ?? [];
    if (name !== undefined) found.set(name, await readFile(path));
  }
  return found;
}

async function instancesOf({ folder }: S3Peer): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const [, uid] = CONTENT.exec(entry.name) ?? [];
    if (uid !== undefined) found.set(uid, await readFile(join(entry.parentPath, entry.name)));
  }
  return found;
}

interface S3Scene extends DestinationScene {
  readonly peer: S3Peer;
}

async function sceneOf(
  { cutAfterBytes = Number.POSITIVE_INFINITY }: SceneOptions,
  options: Partial<S3DestinationOptions> & { readonly serverIs?: Partial<S3Server> } = {},
): Promise<S3Scene> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await temporaryFolder());
  const peer = stack.use(await startS3Server());
  const proxy = stack.use(await startCuttingProxy(peer.port, cutAfterBytes));
  const { serverIs, ...others } = options;
  const server = { ...serverAt(peer, `http://127.0.0.1:${proxy.port}`), ...serverIs };
  const own = { server: async () => server, prefix: "images", proof: "digest", ...others } as const;
  const destination = stack.use(createS3Destination({ name: "lake", ...own }));
  const kept = stack.move();
  return {
    peer,
    destination,
    folder: source.path,
    inspect: s3Inspector(own),
    instances: () => instancesOf(peer),
    attached: () => attachedOf(peer),
    wipe: () => rm(join(peer.folder, "images"), { recursive: true }),
    mend: proxy.mend,
    cutAfter: proxy.cutAfter,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe.each(["digest", "sha256"] as const)("an object store (s3rver) as destination, proof %s", (proof) => {
  destinationContract((options) => sceneOf(options, { proof }), { canBeCut: true, takesFiles: true });
});

describe("an object store", () => {
  const refused = async (scene: S3Scene) =>
    deliverStudy(scene.destination, await deliveryOf(scene.folder, 1), systemClock, signal);

  it("holds objects below the prefix, and beside them the report with the receipt", async () => {
    await using scene = await sceneOf({});
    await refused(scene);
    const study = join(scene.peer.folder, "images", "trial", PSEUDONYM, STUDY);
    expect(await readdir(join(study, SERIES))).toContain("2.25.3.1.dcm._S3rver_object");
    const report = JSON.parse(await readFile(join(study, "radferry-report.json._S3rver_object"), "utf8"));
    expect(report).toMatchObject({ profile: "basic", receipt: { instances: 1, proof: "digest" } });
  });

  it("keeps an object of that key that nobody here put", async () => {
    await using scene = await sceneOf({});
    await refused(scene);
    const series = join(scene.peer.folder, "images", "trial", PSEUDONYM, STUDY, SERIES);
    await rm(join(series, "2.25.3.1.dcm._S3rver_metadata.json"));
    await writeFile(join(series, "2.25.3.1.dcm._S3rver_object"), "somebody else's");
    await writeFile(join(series, "2.25.3.1.dcm._S3rver_metadata.json"), "{}");
    await expect(refused(scene)).rejects.toMatchObject({ code: "DELIVERY_CONFLICT" });
  });

  it("keeps an object that nobody here put where what a hook made would go", async () => {
    await using scene = await sceneOf({});
    const path = join(scene.folder, "made.txt");
    await writeFile(path, "made");
    const sha256 = createHash("sha256").update("made").digest("hex");
    const attached = [{ name: "processed/abc/made.txt", path, sizeBytes: 4, sha256 }];
    const delivery = { ...(await deliveryOf(scene.folder, 1)), attached };
    const deliver = () => deliverStudy(scene.destination, delivery, systemClock, signal);
    await deliver();
    const there = join(scene.peer.folder, "images", "trial", PSEUDONYM, STUDY, "processed", "abc");
    await writeFile(join(there, "made.txt._S3rver_object"), "somebody else's");
    await writeFile(join(there, "made.txt._S3rver_metadata.json"), "{}");
    await expect(deliver()).rejects.toMatchObject({ code: "DELIVERY_CONFLICT" });
  });

  it.each([0, 20])(
    "gets the whole object where it kept %i bytes of one that was cut off, and no mark",
    async (bytes) => {
      await using scene = await sceneOf({});
      await refused(scene);
      const series = join(scene.peer.folder, "images", "trial", PSEUDONYM, STUDY, SERIES);
      const [object, facts] = ["object", "metadata.json"].map((part) => join(series, `2.25.3.1.dcm._S3rver_${part}`));
      const whole = await readFile(object ?? "");
      await writeFile(object ?? "", whole.subarray(0, bytes));
      await writeFile(facts ?? "", "{}");
      await refused(scene);
      expect((await readFile(object ?? "")).equals(whole)).toBe(true);
    },
  );

  it("is not to blame for files of ours that were cut short or vanished since, and gets nothing of them", async () => {
    await using scene = await sceneOf({});
    const delivery = await deliveryOf(scene.folder, 2);
    const [first, second] = delivery.files;
    await truncate(first?.path ?? "", 10);
    await rm(second?.path ?? "");
    for (const file of delivery.files) {
      const sent = scene.destination.send(delivery, [file], signal);
      await expect(sent).rejects.toMatchObject({ code: "DELIVERY_FILE_CHANGED" });
    }
    expect((await scene.instances()).size).toBe(0);
  });

  it.each([
    ["has no such bucket", { bucket: "elsewhere" }, "S3_BUCKET_MISSING"],
    ["knows us by another key", { accessKeyId: "WRONG" }, "S3_ACCESS_DENIED"],
    ["is not there", { endpoint: "http://127.0.0.1:1" }, "S3_UNAVAILABLE"],
  ] as const)("that %s says so", async (_, serverIs, code) => {
    await using scene = await sceneOf({}, { serverIs });
    await expect(refused(scene)).rejects.toMatchObject({ code });
  });

  it.skipIf(!requirePeer("openssl"))(
    "is spoken to by TLS when its certificate is vouched for, and else told nothing",
    async () => {
      await using folder = await temporaryFolder();
      const certificate = await makeCertificate(folder.path, "lake");
      await using peer = await startS3Server(certificate);
      const delivery = await deliveryOf(folder.path, 1);
      const destinationWith = (tls: S3Server["tls"]) =>
        createS3Destination({
          ...{ name: "lake", prefix: "", proof: "digest" },
          server: async () => ({ ...serverAt(peer, peer.endpoint), tls }),
        });
      await using trusted = destinationWith({ certificateAuthorities: certificate.certificate });
      expect(await deliverStudy(trusted, delivery, systemClock, signal)).toMatchObject({ instances: 1 });
      await using other = destinationWith({});
      await expect(other.held(delivery, signal)).rejects.toMatchObject({ code: "TLS_CERTIFICATE_UNTRUSTED" });
    },
  );
});
