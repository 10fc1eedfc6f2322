import { expect, it } from "vitest";
import type { Settings } from "../config/settings.ts";
import { parseAeTitle } from "../dicom/ae-title.ts";
import { silentLogger } from "../units/logger.ts";
import { openListener, openRehearsalListener, refuseEverything } from "./listener.ts";

function settingsWith(port: number): Settings {
  return { dicom: { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port } } as Settings;
}

it("says that the port is taken, and by a code of its own", async () => {
  await using first = await openListener(settingsWith(0), refuseEverything, silentLogger);
  await expect(openListener(settingsWith(first.port), refuseEverything, silentLogger)).rejects.toThrow(
    expect.objectContaining({ code: "LISTENER_PORT_IN_USE" }),
  );
  expect(await openRehearsalListener(settingsWith(first.port), silentLogger)).toBeUndefined();
});
