import type { FaceName } from "../config/manifest-compat.ts";
import type { ReloadDocument } from "../operations/documents.ts";
import type { Operations } from "../operations/operations.ts";

export type FacePorts = { readonly [Name in FaceName]?: number };

/**
 * A composed gateway over one home. `serve` opens the DICOM listener last and works until closed; `"client"` only looks and submits,
 * for verbs beside a running service; `"worker"` takes the home's lock and runs the pipeline until told to stop (`submit --wait`).
 */
export interface Gateway extends AsyncDisposable {
  readonly operations: Operations;
  /** Port of the DICOM listener without TLS; undefined for a client, and where only TLS is spoken. */
  readonly dicomPort: number | undefined;
  /** Port of the DICOM listener over TLS; undefined for a client, and where none is configured. */
  readonly dicomTlsPort: number | undefined;
  /** URL at which staged studies are given away by RAD-69; undefined where they are not. */
  readonly imagingSourceUrl?: string | undefined;
  /** Ports of the other systems' faces that are switched on. */
  readonly facePorts?: FacePorts;
  /** Port of the API; undefined where it is not open. */
  readonly httpPort?: number | undefined;
  /** An admin's token, when nobody had one before: to be shown this once. */
  readonly firstToken?: string | undefined;
  /** Goes on with the settings as they are written now; undefined where they cannot be taken in anew. @throws GatewayError as `reloadSettings` */
  reload?(): Promise<ReloadDocument>;
  /** Lets running steps reach their next safe point, then resolves; new work is not taken. */
  drain(): Promise<void>;
}
