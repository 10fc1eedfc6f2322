import { useEffect, useState } from "preact/hooks";
import { type ApiProblem, toProblem } from "./api/problem.ts";
import { resumeSession } from "./api/session.ts";
import { mayDo, session } from "./api/session-state.ts";
import { ErrorCard } from "./components/error-card.tsx";
import { Page } from "./components/page.tsx";
import { Toasts } from "./components/toasts.tsx";
import { Layout } from "./layout.tsx";
import { LogInPage } from "./pages/log-in/log-in-page.tsx";
import { pageRoutes } from "./routes.ts";
import { Link, matchPath, path } from "./routing/router.tsx";

export function App() {
  const [problem, setProblem] = useState<ApiProblem>();
  const begin = (): void => {
    setProblem(undefined);
    resumeSession().catch((thrown: unknown) => setProblem(toProblem(thrown)));
  };
  useEffect(begin, []);
  if (problem !== undefined && session.value === "unknown") {
    return (
      <main class="alone">
        <ErrorCard problem={problem} onRetry={begin} />
      </main>
    );
  }
  return (
    <>
      <Shown />
      <Toasts />
    </>
  );
}

function Shown() {
  if (session.value === "unknown") return null;
  if (session.value === "none") return <LogInPage />;
  return (
    <Layout>
      <CurrentPage />
    </Layout>
  );
}

function CurrentPage() {
  const here = path.value;
  for (const { path: pattern, component: Component, least } of pageRoutes) {
    const parameters = matchPath(pattern, here);
    if (parameters === undefined) continue;
    if (!mayDo(least)) return <RoleMissing least={least} />;
    return <Component key={here} parameters={parameters} />;
  }
  return (
    <Page title="No such page">
      <p>
        Nothing is at this address. <Link to="/">The overview</Link> leads to everything that there is.
      </p>
    </Page>
  );
}

function RoleMissing({ least }: { readonly least: string }) {
  return (
    <Page title="Not for this role">
      <p>This page is for the role {least}. Ask an admin for a token of that role, and log in with it.</p>
    </Page>
  );
}
