import { access, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAeTitle, parseDicomAddress } from "../../src/dicom/ae-title.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import { outgoingFromFile } from "../../src/network/dimse/outgoing-file.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import type { Service } from "../support/service.ts";
import {
  allDelivered,
  makeTwoGateways,
  PROJECT,
  startBalancer,
  submitStudies,
  type TwoGateways,
} from "../support/two-gateways.ts";

const TITLE = "FERRY";
const study = (seed: number): SyntheticStudy =>
  syntheticStudy({ modality: "CT", rows: 8, columns: 8, instancesPerSeries: 2, seed });
const PULLED = [71, 72, 73, 74].map(study);
const PUSHED = study(75);
/** An object too large to be held in memory on its way. */
const LARGE = syntheticStudy({ modality: "CT", rows: 2_048, columns: 1_024, instancesPerSeries: 2, seed: 76 });

describe.runIf(requirePeer("initdb") && requirePeer("Orthanc"))("gateways with one AE title behind a balancer", () => {
  const opened = new AsyncDisposableStack();
  let server: PostgresServer;
  let two: TwoGateways;
  let balancerPort: number;
  let services: readonly [Service, Service];

  beforeAll(async () => {
    server = opened.use(await startPostgres());
    let httpPort = 0;
    two = opened.use(
      await makeTwoGateways(server, async ({ north, east }) => {
        balancerPort = opened.use(await startBalancer([north, east])).port;
        const moveDestinations = [{ aeTitle: TITLE, port: balancerPort }];
        const orthanc = opened.use(await startOrthanc({ aeTitle: "ORTHANC", moveDestinations }));
        httpPort = orthanc.httpPort;
        const address = `ORTHANC@127.0.0.1:${orthanc.port}`;
        return {
          node: { sharedAeTitle: true },
          dicom: { aeTitle: TITLE },
          archives: [{ name: "orthanc", kind: "dimse", address, retrieve: "move" }],
          intake: {
            quietSeconds: 1,
            longestSeconds: 20,
            rules: [{ name: "all", callingAeTitles: ["CT1"], project: PROJECT }],
          },
        };
      }),
    );
    for (const { file } of [...PULLED, LARGE].flatMap(({ instances }) => instances)) {
      const stored = await fetch(`http://127.0.0.1:${httpPort}/instances`, { method: "POST", body: Buffer.from(file) });
      expect(stored.ok).toBe(true);
    }
    services = [opened.use(await two.open("north")), opened.use(await two.open("east"))];
  }, 60_000);
  afterAll(() => opened.disposeAsync());

  const delivered = (count: number) => allDelivered(two, count);
  /** Names of the gateways that have identified images of the study. */
  const holdersOf = async ({ studyInstanceUid }: SyntheticStudy): Promise<readonly string[]> => {
    const at = async (name: string, { folder }: Service): Promise<readonly string[]> =>
      await access(join(folder, "home", "staging", "studies", studyInstanceUid)).then(
        () => [name],
        () => [],
      );
    return [...(await at("north", services[0])), ...(await at("east", services[1]))];
  };
  const passedOn = () => two.lines.filter((line) => line.includes("instance passed on"));

  it("brings what C-MOVE sends to the gateway that asked for it", async () => {
    const studies = [...PULLED, LARGE].map(({ studyInstanceUid }) => studyInstanceUid);
    await submitStudies(two, studies);
    await delivered(studies.length);
    expect(passedOn().length).toBeGreaterThan(0);
    for (const each of [...PULLED, LARGE]) expect(await holdersOf(each)).toHaveLength(1);
    for (const { folder } of services)
      expect(await readdir(join(folder, "home", "staging", "incoming"), { recursive: true })).toEqual([]);
  }, 60_000);

  it("brings together what is pushed of a study over several associations", async () => {
    const before = passedOn().length;
    for (const { file, sopInstanceUid, sopClassUid } of PUSHED.instances) {
      const path = join(two.folder, sopInstanceUid);
      await writeFile(path, file);
      const outgoing = await outgoingFromFile(path);
      await using association = await openAssociation({
        address: parseDicomAddress(`${TITLE}@127.0.0.1:${balancerPort}`),
        callingAeTitle: parseAeTitle("CT1"),
        contexts: [{ abstractSyntaxUid: sopClassUid, transferSyntaxUids: [outgoing.transferSyntaxUid] }],
      });
      expect(await association.store(outgoing)).toEqual({ status: 0 });
    }
    expect(passedOn().length - before).toBeGreaterThan(0);
    await delivered(PULLED.length + 2);
    expect(await holdersOf(PUSHED)).toHaveLength(1);
  }, 60_000);

  it("is looked at by doctor", async () => {
    const { checks } = await services[0].gateway.operations.doctor();
    const [check] = checks.filter((one) => one.check.includes("our AE title"));
    expect(check).toMatchObject({ ok: true, message: expect.stringContaining("2 at work") });
  });
});
