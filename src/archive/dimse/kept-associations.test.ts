import { once } from "node:events";
import { expect, it } from "vitest";
import { associateAcceptPdu } from "../../../test/peers/pdu-fixtures.ts";
import { startPracticeArchive } from "../../../test/peers/practice-archive.ts";
import { startScriptedPeer } from "../../../test/peers/scripted-peer.ts";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { parseAeTitle, parseDicomAddress } from "../../dicom/ae-title.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import { neverAborted } from "../../units/abort.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { findContexts } from "./contexts.ts";
import { keepAssociations } from "./kept-associations.ts";
import { listStudy } from "./query-study.ts";

const study = syntheticStudy({ seed: 7, modality: "CT", instancesPerSeries: 2 });
const STUDY = parseStudyInstanceUid(study.studyInstanceUid);
const signal = neverAborted();

async function scene() {
  await using opened = new AsyncDisposableStack();
  const archive = opened.use(await startPracticeArchive({ studies: [study] }));
  const clock = createManualClock();
  const associations: Awaited<ReturnType<typeof openAssociation>>[] = [];
  const kept = opened.use(
    keepAssociations(async (opening) => {
      const association = await openAssociation({
        address: parseDicomAddress(archive.address),
        callingAeTitle: parseAeTitle("RADFERRY"),
        contexts: findContexts(),
        signal: opening,
      });
      associations.push(association);
      return association;
    }, clock),
  );
  const ask = (asker = signal) => kept.use(asker, (association) => listStudy(association, STUDY, asker));
  const closing = opened.move();
  return { kept, clock, associations, ask, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

const listed = { kind: "instances", instances: [{}, {}] };

it("asks again over the same association, whoever asked first being gone", async () => {
  await using of = await scene();
  const first = new AbortController();
  expect(await of.ask(first.signal)).toMatchObject(listed);
  first.abort();
  expect(await of.ask()).toMatchObject(listed);
  expect(of.associations).toHaveLength(1);
});

it("has as many as are asked at once", async () => {
  await using of = await scene();
  await Promise.all([of.ask(), of.ask()]);
  expect(of.associations).toHaveLength(2);
  await of.kept.reduceTo(1);
  expect(of.associations.filter(({ ended }) => ended.aborted)).toHaveLength(1);
});

it("asks over a new one where the peer ended it while nobody used it, and while it was asked", async () => {
  await using of = await scene();
  await of.ask();
  await of.associations[0]?.[Symbol.asyncDispose]();
  expect(await of.ask()).toMatchObject(listed);
  expect(of.associations).toHaveLength(2);
  const answers = await of.kept.use(signal, async (association) => {
    if (association === of.associations[1]) await association[Symbol.asyncDispose]();
    return await listStudy(association, STUDY, signal);
  });
  expect(answers).toMatchObject(listed);
  expect(of.associations).toHaveLength(3);
});

it("does not ask again what was answered in part", async () => {
  await using of = await scene();
  await of.ask();
  const asking = of.kept.use(signal, async (association) => {
    await listStudy(association, STUDY, signal);
    await association[Symbol.asyncDispose]();
    return await listStudy(association, STUDY, signal);
  });
  await expect(asking).rejects.toMatchObject({ code: "ASSOCIATION_ABORTED" });
  expect(of.associations).toHaveLength(1);
});

it("tells what failed on a new one", async () => {
  await using of = await scene();
  const failing = of.kept.use(signal, async (association) => {
    await association[Symbol.asyncDispose]();
    return await listStudy(association, STUDY, signal);
  });
  await expect(failing).rejects.toMatchObject({ code: "ASSOCIATION_ABORTED" });
  expect(of.associations).toHaveLength(1);
});

it("releases what nobody used for a while", async () => {
  await using of = await scene();
  await of.ask();
  const [association] = of.associations;
  expect(association?.isReusable).toBe(true);
  const ended = once(association?.ended ?? signal, "abort");
  of.clock.advance(3_000);
  await ended;
  await of.ask();
  expect(of.associations).toHaveLength(2);
});

it("has a new one after a minute, however often it is used", async () => {
  await using of = await scene();
  for (let minute = 0; minute < 3; minute += 1) {
    await of.kept.use(signal, async (association) => {
      await listStudy(association, STUDY, signal);
      await of.clock.advance(60_000);
    });
  }
  expect(of.associations).toHaveLength(3);
});

it("ends what is unused when it is disposed, and what is in use when that is given back", async () => {
  await using of = await scene();
  const inUse = Promise.withResolvers<void>();
  const working = of.kept.use(signal, () => inUse.promise);
  await of.ask();
  await of.kept[Symbol.asyncDispose]();
  expect(of.associations.map(({ ended }) => ended.aborted)).toEqual([false, true]);
  inUse.resolve();
  await working;
  expect(of.associations.map(({ ended }) => ended.aborted)).toEqual([true, true]);
  expect(of.kept.unused).toBe(0);
});

it("does not wait for a peer that answers no release", async () => {
  await using opened = new AsyncDisposableStack();
  const silent = opened.use(await startScriptedPeer([{ expectPdu: 0x01 }, { send: associateAcceptPdu() }]));
  const kept = opened.use(
    keepAssociations(
      (opening) =>
        openAssociation({
          address: parseDicomAddress(`SILENT@127.0.0.1:${silent.port}`),
          callingAeTitle: parseAeTitle("RADFERRY"),
          contexts: findContexts(),
          signal: opening,
        }),
      createManualClock(),
    ),
  );
  await kept.use(signal, async () => {});
  expect(kept.unused).toBe(1);
  await kept.reduceTo(0);
  expect(kept.unused).toBe(0);
});
