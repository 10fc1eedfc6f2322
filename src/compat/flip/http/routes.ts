import { imagingRoutes } from "./imaging-routes.ts";
import { projectRoutes } from "./project-routes.ts";
import { retrievalRoutes } from "./retrieval-routes.ts";
import type { Route } from "./route.ts";
import { transferRoutes } from "./transfer-routes.ts";
import { userRoutes } from "./user-routes.ts";

/** Every address of the original but `/health`, which looks at nothing but the process. */
export const routes: readonly Route[] = [
  ...userRoutes,
  ...projectRoutes,
  ...imagingRoutes,
  ...retrievalRoutes,
  ...transferRoutes,
];
