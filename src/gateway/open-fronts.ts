import { FACE_NAMES } from "../config/manifest-compat.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import { type FaceParts, openFaces } from "./faces.ts";
import type { FacePorts } from "./gateway.ts";
import { openImagingSource } from "./imaging-source.ts";

/** What a running service shows to others besides its DICOM listener. */
export interface Fronts {
  readonly imagingSourceUrl: string | undefined;
  readonly facePorts: FacePorts;
  drain(): Promise<void>;
}

/** Of a process that only works or looks. */
export const NO_FRONTS: Fronts = {
  imagingSourceUrl: undefined,
  facePorts: {},
  drain: () => Promise.resolve(),
};

interface Within extends Pick<FaceParts, "operationsFor"> {
  readonly staging: StagingArea;
}

/** Opens what the settings switch on. @throws GatewayError LISTENER_PORT_IN_USE, SettingsError of a face */
export async function openFronts(
  parts: Omit<FaceParts, "host" | "port" | "operationsFor">,
  { staging, operationsFor }: Within,
  opened: AsyncDisposableStack,
): Promise<Fronts> {
  const { settings, clock } = parts;
  const imagingSourceUrl = await openImagingSource(settings, staging, clock, opened);
  const faces = await openFaces({ ...parts, operationsFor }, opened);
  const facePorts = Object.fromEntries(
    FACE_NAMES.flatMap((name) => (faces[name] === undefined ? [] : [[name, faces[name].port]])),
  );
  return {
    imagingSourceUrl,
    facePorts,
    drain: async () => void (await Promise.all(FACE_NAMES.map((name) => faces[name]?.drain()))),
  };
}
