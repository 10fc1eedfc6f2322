import { accessPage } from "./access-page.ts";
import { conformancePage } from "./conformance-page.ts";
import { errorsPage } from "./errors-page.ts";
import { evidenceSchemaPage } from "./evidence-schema-page.ts";
import { failuresPage } from "./failures-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { notificationsPage } from "./notifications-page.ts";
import { profileSchemaPage } from "./profile-schema-page.ts";
import { reportSchemaPage } from "./report-schema-page.ts";
import { settingsPage } from "./settings-page.ts";

/** Pages that are written from tables of the code, by path. */
export const GENERATED_PAGES: Readonly<Record<string, () => string>> = {
  "docs/access.md": accessPage,
  "docs/conformance.md": conformancePage,
  "docs/deid-report.schema.json": reportSchemaPage,
  "docs/errors.md": errorsPage,
  "docs/evidence.schema.json": evidenceSchemaPage,
  "docs/metrics.md": metricsPage,
  "docs/notifications.md": notificationsPage,
  "docs/operating/failures.md": failuresPage,
  "docs/profile.schema.json": profileSchemaPage,
  "docs/settings.md": settingsPage,
};
