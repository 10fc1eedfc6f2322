import { expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { PSEUDONYM, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { neverAborted } from "../../units/abort.ts";
import { removeStudy } from "../removal/removal.ts";
import { createS3Destination } from "./s3-destination.ts";

const KEY = `trial/${PSEUDONYM}/${STUDY}/${SERIES}/2.25.3.1.dcm`;
const study = { project: "trial", pseudonym: PSEUDONYM, studyInstanceUid: STUDY, files: [] };

type Action = "list versions" | "delete version";

/** A bucket with versions that holds one object, put twice; what its policy denies is answered 403. */
async function bucketThatDenies(...denied: readonly Action[]) {
  return await bucketWith({ denied });
}

async function bucketWith({
  denied = [],
  isOurs = true,
}: {
  readonly denied?: readonly Action[];
  readonly isOurs?: boolean;
}) {
  const versions = new Set(["v1", "v2"]);
  let isHidden = false;
  const server = await startHttpServer((request, response) => {
    const { searchParams: query } = new URL(request.url ?? "/", "http://bucket");
    const answer = (status: number, body = "") =>
      response.writeHead(status, isOurs ? { "x-amz-meta-radferry-sha256": "ab" } : {}).end(body);
    const deny = () => answer(403, "<Error><Code>AccessDenied</Code></Error>");
    if (request.method === "HEAD") return isHidden ? answer(404) : answer(200);
    if (request.method === "DELETE") {
      const version = query.get("versionId");
      if (version === null) {
        isHidden = true;
        versions.add("marker");
        return answer(204);
      }
      if (denied.includes("delete version")) return deny();
      versions.delete(version);
      return answer(204);
    }
    if (!query.has("versions")) {
      const contents = isHidden ? "" : `<Contents><Key>${KEY}</Key></Contents>`;
      return answer(200, `<ListBucketResult>${contents}<IsTruncated>false</IsTruncated></ListBucketResult>`);
    }
    if (denied.includes("list versions")) return deny();
    const listed = [...versions].map((id) => {
      const name = id === "marker" ? "DeleteMarker" : "Version";
      return `<${name}><Key>${KEY}</Key><VersionId>${id}</VersionId></${name}>`;
    });
    return answer(200, `<ListVersionsResult>${listed.join("")}<IsTruncated>false</IsTruncated></ListVersionsResult>`);
  });
  const login = { bucket: "research", accessKeyId: "key", secretAccessKey: "secret", region: "eu-west-2" };
  const destination = createS3Destination({
    ...{ name: "lake", prefix: "", proof: "digest" },
    server: async () => ({ ...login, endpoint: server.url, usesPathStyle: true, tls: {} }),
  });
  return { destination, versions, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const remove = (scene: Parameters<typeof removeStudy>[0]) => removeStudy(scene, study, neverAborted());

it("deletes earlier versions and the marks of deletion too, where a bucket keeps them", async () => {
  await using scene = await bucketThatDenies();
  expect(await remove(scene)).toEqual({ kind: "removed" });
  expect(scene.versions.size).toBe(0);
  expect(await remove(scene)).toEqual({ kind: "absent" });
});

it("leaves what others put over an object of ours, with all that it was", async () => {
  await using scene = await bucketWith({ isOurs: false });
  expect(await remove(scene)).toEqual({ kind: "person", code: "REMOVAL_OTHERS_LEFT", left: 1 });
  expect([...scene.versions]).toEqual(["v1", "v2"]);
});

it.each([
  ["delete version", "S3_VERSIONS_KEPT"],
  ["list versions", "S3_VERSIONS_UNSEEN"],
] as const)("says that versions stay where it may not %s, every time", async (denied, code) => {
  await using scene = await bucketThatDenies(denied);
  for (const _ of [1, 2]) await expect(remove(scene)).rejects.toMatchObject({ code, class: "permanent" });
});
