import { expect, it } from "vitest";
import { systemClock } from "../../../units/clock.ts";
import { keepMessages } from "./keep-messages.ts";

it("keeps a list of messages whole, and none of it where more would wait than may", async () => {
  const added: unknown[] = [];
  const told: true[] = [];
  const keep = keepMessages({
    store: {
      unfinishedInboxMessages: async () => 199_999 + added.length,
      async addInboxMessage({ queue, priority }) {
        added.push([queue, priority]);
        return { id: "1", isJoined: true };
      },
    },
    clock: systemClock,
    onStored: () => void told.push(true),
  });
  const body = Buffer.from("{}");
  await expect(keep([body, body], 4)).rejects.toMatchObject({ status: 503, code: "PIXL_BACKLOG_FULL" });
  expect([added, told]).toEqual([[], []]);
  expect(await keep([body], 4)).toBe(1);
  expect([added, told]).toEqual([[["imaging-primary", 4]], [true]]);
  await expect(keep([body], 4)).rejects.toMatchObject({ code: "PIXL_BACKLOG_FULL" });
});
