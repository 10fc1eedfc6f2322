import { expect, it } from "vitest";
import { startSpanCollector } from "../../test/support/span-collector.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openTraces } from "./traces.ts";

it("sends what was done below what, and of an error its code alone", async () => {
  await using collector = await startSpanCollector();
  {
    await using traces = await openTraces({ url: collector.url, share: 1, version: "1.2.3" });
    const study = traces.within("study", { "radferry.job": "job-1" }, async () => {
      await traces.within("archive find", { "radferry.archive": "pacs" }, async () => "found");
      await traces.within("archive retrieve", {}, async () => {
        throw new GatewayError("ARCHIVE_UNABLE", {}, new Error("of Doe^John"));
      });
    });
    await expect(study).rejects.toMatchObject({ code: "ARCHIVE_UNABLE" });
  }
  const [find, retrieve, study] = collector.spans;
  expect(study).toMatchObject({ name: "study", attributes: { "radferry.job": "job-1" }, isError: true });
  expect(find).toMatchObject({ name: "archive find", parent: study?.id, isError: false });
  expect(retrieve).toMatchObject({ parent: study?.id, attributes: { "radferry.code": "ARCHIVE_UNABLE" } });
  expect(collector.text()).not.toContain("Doe");
});

it("drops what a slow collector does not take, and keeps no more than its queue", async () => {
  const ready = Promise.withResolvers<void>();
  await using collector = await startSpanCollector(() => ready.promise);
  {
    await using traces = await openTraces({ url: collector.url, share: 1, version: "1.2.3" });
    for (let span = 0; span < 10_000; span += 1) await traces.within("study", {}, async () => undefined);
    ready.resolve();
  }
  expect(collector.spans.length).toBeGreaterThan(0);
  expect(collector.spans.length).toBeLessThanOrEqual(2_048 + 512);
});

it("makes no spans of studies that are not to be traced", async () => {
  await using collector = await startSpanCollector();
  {
    await using traces = await openTraces({ url: collector.url, share: 0, version: "1.2.3" });
    await traces.within("study", {}, () => traces.within("stage", {}, async () => undefined));
  }
  expect(collector.requests).toBe(0);
});

it("ends though the collector never answers, or is not there", async () => {
  await using collector = await startSpanCollector(() => new Promise(() => undefined));
  {
    await using traces = await openTraces({ url: collector.url, share: 1, version: "1.2.3" });
    expect(await traces.within("study", {}, async () => "done")).toBe("done");
  }
  expect(collector.requests).toBe(1);
  await using gone = await openTraces({ url: "http://127.0.0.1:1/v1/traces", share: 1, version: "1.2.3" });
  expect(await gone.within("study", {}, async () => "done")).toBe("done");
});
