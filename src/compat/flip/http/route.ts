import { type Route as RouteOf, routesWith } from "../../fastapi/route.ts";
import type { ImageFiles } from "../image-files.ts";
import type { ImportTasks } from "../import-tasks.ts";
import type { FlipServices } from "../services.ts";
import type { Xnat } from "../xnat.ts";

/** What every handler works with. */
export interface RouteContext {
  readonly services: FlipServices;
  readonly tasks: ImportTasks;
  readonly files: ImageFiles;
  readonly xnat: Xnat;
  readonly version: string | null;
  /** Aborted when the face stops. */
  readonly signal: AbortSignal;
}

export type Route = RouteOf<RouteContext>;

export const route = routesWith<RouteContext>();
