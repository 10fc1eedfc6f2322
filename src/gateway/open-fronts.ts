import { FACE_NAMES } from "../config/manifest-compat.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import { openFaces } from "./faces.ts";
import type { Fronts } from "./fronts.ts";
import { openImagingSource } from "./imaging-source.ts";
import { type ApiParts, ITSELF, openApi } from "./open-api.ts";

interface Within extends Pick<ApiParts, "operationsFor" | "takeParts"> {
  readonly staging: StagingArea;
}

/** Opens what the settings switch on. @throws GatewayError LISTENER_PORT_IN_USE, API_PORT_IN_USE, SettingsError of a face */
export async function openFronts(
  parts: Omit<ApiParts, "operationsFor" | "faces" | "takeParts">,
  { staging, operationsFor, takeParts }: Within,
  opened: AsyncDisposableStack,
): Promise<Fronts> {
  const { settings, store } = parts;
  const projects = async () => (await operationsFor(ITSELF).listProjects()).map(({ name }) => name);
  const imagingSourceUrl = await openImagingSource(settings, { store, projects }, staging, opened);
  const faces = await openFaces({ ...parts, operationsFor }, opened);
  const facePorts = Object.fromEntries(
    FACE_NAMES.flatMap((name) => (faces[name]?.port === undefined ? [] : [[name, faces[name].port]])),
  );
  const { server, makeFirstToken } = await openApi({ ...parts, operationsFor, faces, takeParts }, opened);
  return {
    imagingSourceUrl,
    facePorts,
    httpPort: server.port,
    makeFirstToken,
    drain: async () => void (await Promise.all(FACE_NAMES.map((name) => faces[name]?.drain()))),
  };
}
