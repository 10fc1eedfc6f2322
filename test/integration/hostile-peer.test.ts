import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import { VERIFICATION_SOP_CLASS } from "../../src/network/dimse/service-classes.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES } from "../../src/network/dimse/storage-contexts.ts";
import { seededRandom } from "../../src/units/random.ts";
import { freePort } from "../peers/free-port.ts";
import type { ArchiveFaults } from "../peers/practice-archive.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { ctStudy, studiesOf, submit } from "../support/rehearsal.ts";
import { makeSite } from "../support/site.ts";

const CONNECTIONS = 60;
const callingAeTitle = parseAeTitle("INTRUDER");

/** Slow enough that the intruders come in the middle. */
const slow: ArchiveFaults = {
  async *send({ bytes }) {
    await delay(60);
    yield bytes;
  },
};

function contextsFor(abstractSyntaxUid: string) {
  return [{ abstractSyntaxUid, transferSyntaxUids: IDENTIFIER_TRANSFER_SYNTAXES }];
}

/** Random bytes, some of them after the beginning of a PDU that announces far more than ever comes. */
async function sendGarbage(port: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  /** A-ASSOCIATE-RQ, reserved, length 7FFFFFFFH. PS3.8 9.3.2. */
  if (seed % 3 === 0) socket.write(Uint8Array.of(0x01, 0x00, 0x7f, 0xff, 0xff, 0xff));
  socket.write(random.bytes(1 + Math.floor(random.next() * 2_000)));
  await delay(random.next() * 50);
  socket.destroy();
}

/** An instance that nobody asked for, from a peer nobody knows. */
async function pushUnasked(port: number, seed: number): Promise<number> {
  const [instance] = ctStudy(900 + seed).instances;
  if (instance === undefined) throw new Error("a study without instances");
  const address = { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port };
  await using association = await openAssociation({
    address,
    callingAeTitle,
    contexts: contextsFor(instance.sopClassUid),
  });
  const { status } = await association.store({
    ...instance,
    async *open() {
      yield instance.bytes;
    },
  });
  return status;
}

it("goes on with its work while strangers send garbage and what nobody asked for", async () => {
  const studies = [ctStudy(61), ctStudy(62), ctStudy(63)];
  const dicomPort = await freePort();
  const destinations = [`RADFERRY@127.0.0.1:${dicomPort}`];
  await using archive = await startPracticeArchive({ studies, destinations, faults: slow });
  await using site = await makeSite({
    dicomPort,
    archives: [{ name: "practice", address: archive.address, retrieve: "move" }],
  });
  await using service = await site.serve();

  const work = submit(site, studies, "--wait");
  const seeds = Array.from({ length: CONNECTIONS }, (_, index) => index + 1);
  await Promise.all(seeds.map((seed) => sendGarbage(dicomPort, seed)));
  const refused = await Promise.all([1, 2, 3].map((seed) => pushUnasked(dicomPort, seed)));
  expect(refused).toEqual([0x0124, 0x0124, 0x0124]);

  expect((await work).exitCode).toBe(0);
  expect((await studiesOf(site)).map(({ state, delivered }) => [state, delivered])).toEqual(
    studies.map(() => ["delivered", 4]),
  );
  const address = { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port: dicomPort };
  await using association = await openAssociation({
    address,
    callingAeTitle,
    contexts: contextsFor(VERIFICATION_SOP_CLASS),
  });
  await association.echo();
  expect(service.log()).toContain("INSTANCE_UNSOLICITED");
});
