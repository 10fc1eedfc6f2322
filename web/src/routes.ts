import type { ComponentType } from "preact";
import type { Role } from "./api/session-state.ts";
import { ArchivesPage } from "./pages/archives/archives-page.tsx";
import { AuditPage } from "./pages/audit/audit-page.tsx";
import { CohortPage } from "./pages/cohorts/cohort-page.tsx";
import { CohortsPage } from "./pages/cohorts/cohorts-page.tsx";
import { FailuresPage } from "./pages/failures/failures-page.tsx";
import { IntakePage } from "./pages/intake/intake-page.tsx";
import { OverviewPage } from "./pages/overview/overview-page.tsx";
import { QuarantinePage } from "./pages/quarantine/quarantine-page.tsx";
import { QuarantinedStudyPage } from "./pages/quarantine/quarantined-study-page.tsx";
import { ScannersPage } from "./pages/scanners/scanners-page.tsx";
import { TaskPage } from "./pages/scanners/task-page.tsx";
import { SearchPage } from "./pages/search/search-page.tsx";
import { SettingsPage } from "./pages/settings/settings-page.tsx";
import { StudiesPage } from "./pages/studies/studies-page.tsx";
import { StudyPage } from "./pages/study/study-page.tsx";
import { TokensPage } from "./pages/tokens/tokens-page.tsx";
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
  { path: "/search", title: "Search", least: "operator", component: SearchPage },
  { path: "/studies", title: "Studies", least: "viewer", component: StudiesPage },
  { path: "/studies/:id", title: undefined, least: "viewer", component: StudyPage },
  { path: "/failures", title: "Failures", least: "viewer", component: FailuresPage },
  { path: "/quarantine", title: "Quarantine", least: "viewer", component: QuarantinePage },
  { path: "/quarantine/:id", title: undefined, least: "viewer", component: QuarantinedStudyPage },
  { path: "/intake", title: "Sent to us", least: "operator", component: IntakePage },
  { path: "/archives", title: "Archives", least: "viewer", component: ArchivesPage },
  { path: "/scanners", title: "Scanners", least: "viewer", component: ScannersPage },
  { path: "/scanners/tasks/:id", title: undefined, least: "operator", component: TaskPage },
  { path: "/audit", title: "Audit trail", least: "admin", component: AuditPage },
  { path: "/tokens", title: "Tokens", least: "admin", component: TokensPage },
  { path: "/settings", title: "Settings", least: "operator", component: SettingsPage },
];
