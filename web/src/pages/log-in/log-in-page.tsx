import { useEffect, useState } from "preact/hooks";
import { type ApiProblem, toProblem } from "../../api/problem.ts";
import { logIn } from "../../api/session.ts";
import { wasTurnedOut, waysIn } from "../../api/session-state.ts";
import { ErrorCard } from "../../components/error-card.tsx";
import { refusedLogIn } from "./refused-log-in.ts";

export function LogInPage() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<ApiProblem | undefined>(() => refusedLogIn(location.search));
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Log in · Radferry";
    // It was said once: who reloads the page begins anew.
    if (refusedLogIn(location.search) !== undefined) history.replaceState(null, "", location.pathname);
  }, []);
  const others = waysIn.value.filter(({ by }) => by !== "token");
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy || token.trim() === "") return;
    setBusy(true);
    try {
      await logIn(token.trim());
    } catch (thrown) {
      setProblem(toProblem(thrown));
      setBusy(false);
    }
  };
  return (
    <main class="alone">
      <form class="card log-in" onSubmit={(event) => void submit(event)}>
        <h1>
          <img src="/icon.svg" width="32" height="32" alt="" /> Radferry
        </h1>
        {wasTurnedOut.value && (
          <p role="status">The session has ended: its time was up, or what it was begun with holds no longer.</p>
        )}
        {others.map(({ name, url }) => (
          <a key={url} class="button button-primary" href={url}>
            Log in with {name}
          </a>
        ))}
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            autocomplete="current-password"
            required
            spellcheck={false}
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <p class="quiet">
          The gateway prints an admin's token when it starts for the first time; <code>radferry token create</code>{" "}
          makes more.
        </p>
        {problem !== undefined && <ErrorCard problem={problem} />}
        <button type="submit" class={`button ${others.length === 0 ? "button-primary" : ""}`} aria-busy={isBusy}>
          Log in
        </button>
      </form>
    </main>
  );
}
