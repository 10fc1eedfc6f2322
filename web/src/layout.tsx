import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { connection } from "./api/live.ts";
import { logOut } from "./api/session.ts";
import { mayDo, session } from "./api/session-state.ts";
import { chooseTheme, THEMES, theme } from "./browser/theme.ts";
import { Button } from "./components/button.tsx";
import { StoreLine } from "./components/store-line.tsx";
import { pageRoutes } from "./routes.ts";
import { Link, matchPath, path } from "./routing/router.tsx";

/** Navigation beside the page; above it where the screen is narrow. */
export function Layout({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="layout">
      <a class="skip-link" href="#main">
        Skip to the page
      </a>
      <Navigation />
      <main id="main" class="main" tabIndex={-1}>
        <ConnectionLine />
        <StoreLine />
        {children}
      </main>
    </div>
  );
}

function Navigation() {
  const [isOpen, setOpen] = useState(false);
  const entries = pageRoutes.filter(({ title, least }) => title !== undefined && mayDo(least));
  return (
    <header class="side">
      <div class="side-top">
        <Link to="/" class="brand" label="Radferry, overview">
          <img src="/icon.svg" width="26" height="26" alt="" />
          <span>Radferry</span>
        </Link>
        <button
          type="button"
          class="button menu-button"
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setOpen(!isOpen)}
        >
          Menu
        </button>
      </div>
      <div id="navigation" class={isOpen ? "side-rest is-open" : "side-rest"}>
        <nav aria-label="Pages">
          <ul onClick={() => setOpen(false)} onKeyDown={({ key }) => key === "Escape" && setOpen(false)}>
            {entries.map((entry) => (
              <li key={entry.path}>
                <Link to={entry.path} class="nav-link" isCurrent={isWithin(entry)}>
                  {entry.title}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <Account />
      </div>
    </header>
  );
}

/** A page below an entry belongs to it: /cohorts/c-1 to /cohorts. */
function isWithin({ path: pattern }: { readonly path: string }): boolean {
  const [, section = ""] = path.value.split("/");
  return matchPath(pattern, path.value) !== undefined || (section !== "" && pattern === `/${section}`);
}

function Account() {
  const current = session.value;
  if (typeof current !== "object") return null;
  return (
    <div class="account">
      <p>
        <span class="account-name">{current.name}</span>
        <span class="quiet">{current.role}</span>
      </p>
      <ThemeChoice />
      <div class="account-actions">
        <Button onClick={logOut}>Log out</Button>
        <a class="quiet" href="/docs">
          API
        </a>
      </div>
    </div>
  );
}

function ThemeChoice() {
  return (
    <fieldset class="segments">
      <legend class="unseen">Colours</legend>
      {THEMES.map((each) => (
        <label key={each}>
          <input type="radio" name="theme" checked={theme.value === each} onChange={() => chooseTheme(each)} />
          <span>{each}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Said only where what is shown may be old. */
function ConnectionLine() {
  return (
    <div role="status">
      {connection.value === "lost" && (
        <p class="notice notice-warn">The gateway does not answer. What is shown may be old; it goes on by itself.</p>
      )}
    </div>
  );
}
