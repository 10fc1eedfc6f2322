import type { ComponentType } from "preact";
import type { Role } from "./api/session-state.ts";
import { CohortPage } from "./pages/cohorts/cohort-page.tsx";
import { CohortsPage } from "./pages/cohorts/cohorts-page.tsx";
import { OverviewPage } from "./pages/overview/overview-page.tsx";
import type { Parameters } from "./routing/router.tsx";

/** What a page is given: what the names in its path stand for. */
export interface PageProps {
  readonly parameters: Parameters;
}

interface PageRoute {
  /** With `:names`. The gateway answers every such address with the dashboard. */
  readonly path: string;
  /** In the navigation; undefined: other pages lead there. */
  readonly title: string | undefined;
  readonly least: Role;
  readonly component: ComponentType<PageProps>;
}

/** Every page, those of the navigation in its order. */
export const pageRoutes: readonly PageRoute[] = [
  { path: "/", title: "Overview", least: "viewer", component: OverviewPage },
  { path: "/cohorts", title: "Cohorts", least: "viewer", component: CohortsPage },
  { path: "/cohorts/:cohort", title: undefined, least: "viewer", component: CohortPage },
];
