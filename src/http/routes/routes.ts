import type { Route } from "../route.ts";
import { cohortRoutes } from "./cohort-routes.ts";
import { flipRoutes } from "./flip-routes.ts";
import { inquiryRoutes } from "./inquiry-routes.ts";
import { insightRoutes } from "./insight-routes.ts";
import { intakeRoutes } from "./intake-routes.ts";
import { linkageRoutes } from "./linkage-routes.ts";
import { notificationRoutes } from "./notification-routes.ts";
import { scannerRoutes } from "./scanner-routes.ts";
import { siteRoutes } from "./site-routes.ts";
import { standingRoutes } from "./standing-routes.ts";
import { studyRoutes } from "./study-routes.ts";
import { withdrawalRoutes } from "./withdrawal-routes.ts";

/** Every address below /api/v1. */
export const routes: readonly Route[] = [
  ...siteRoutes,
  ...cohortRoutes,
  ...inquiryRoutes,
  ...standingRoutes,
  ...studyRoutes,
  ...intakeRoutes,
  ...insightRoutes,
  ...linkageRoutes,
  ...withdrawalRoutes,
  ...scannerRoutes,
  ...notificationRoutes,
  ...flipRoutes,
];

/** Followed for as long as the connection lasts, instead of answered. */
export const EVENTS_PATH = "/events";
