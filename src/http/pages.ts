import { z } from "zod";
import { BASE, type BesideApi, errorsOf } from "./openapi.ts";
import { statusOf } from "./problem.ts";
import { type Route, TAGS } from "./route.ts";

/** Everything that is written into a page goes through here. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
code, td:first-child { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .25rem .5rem; text-align: left; vertical-align: top; }
article { margin: 1.5rem 0; }
`;

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
${body}
</body>
</html>
`;
}

/** What stands at the top where the dashboard was not built. */
export function unbuiltPage(version: string): string {
  return page(
    "Radferry",
    `<main><h1>Radferry</h1>
<p>The gateway is running, version ${escaped(version)}. Its dashboard is not built: run <code>npm ci</code> or
<code>npm run prepare</code> in its folder, with the packages for development, and start it again.</p>
<ul>
<li><a href="/docs">the API</a>, as <a href="/openapi.json">OpenAPI</a> for programs</li>
<li><a href="/health/ready">whether it is ready</a></li>
<li><a href="/metrics">metrics</a></li>
</ul></main>`,
  );
}

/** The API for people, from the table that it answers by. */
export function docsPage(routes: readonly Route[], beside: readonly BesideApi[] = []): string {
  const sections = Object.entries(TAGS).map(([tag, description]) => {
    const articles = routes.filter((route) => route.tag === tag).map(article);
    return section(tag, description, articles);
  });
  const others = beside.map(({ tag: { name, description }, paths }) =>
    section(name, description, Object.entries(paths).flatMap(besideArticles)),
  );
  return page(
    "Radferry API",
    `<main><h1>Radferry API</h1>
<p>Everything below <code>${BASE}</code> wants <code>Authorization: Bearer TOKEN</code>. Errors are problem+json with a code.
Programs read <a href="/openapi.json">/openapi.json</a>.</p>
${[...sections, ...others].join("\n")}</main>`,
  );
}

function section(name: string, description: string, articles: readonly string[]): string {
  return `<section><h2>${escaped(name)}</h2><p>${escaped(description)}</p>${articles.join("")}</section>`;
}

function besideArticles([path, operations]: readonly [string, BesideApi["paths"][string]]): readonly string[] {
  return Object.entries(operations).map(
    ([method, { summary, description }]) =>
      `<article><h3><code>${method.toUpperCase()} ${escaped(path)}</code></h3><p>${escaped(`${summary}. ${description}`)}</p></article>`,
  );
}

function article(route: Route): string {
  const { method, path, summary, least, parameters, body, takesFile, status } = route;
  const rows = [
    ...parameterRows(parameters.path, "in the path"),
    ...parameterRows(parameters.query, "in the query"),
    ...(body instanceof z.ZodObject ? parameterRows(body, "in the body, JSON") : []),
    ...(takesFile ? [row("", "a file as the body")] : []),
  ];
  const errors = errorsOf(route).map((code) => `${statusOf(code)} ${code}`);
  return `<article><h3><code>${method} ${escaped(BASE + path)}</code></h3>
<p>${escaped(summary)}. Role ${least}. Answers ${status}.</p>
${rows.length === 0 ? "" : `<table>${rows.join("")}</table>`}
<details><summary>Errors</summary><p>${errors.map(escaped).join("; ")}</p></details></article>`;
}

function parameterRows(shape: z.ZodObject | undefined, where: string): readonly string[] {
  return Object.entries(shape?.shape ?? {}).map(([name, schema]) => {
    const isNeeded = !z.safeParse(schema, undefined).success;
    const { description = "" } = z.globalRegistry.get(schema) ?? {};
    return row(name, `${where}${isNeeded ? ", needed" : ""}${description === "" ? "" : `: ${description}`}`);
  });
}

function row(name: string, text: string): string {
  return `<tr><td>${escaped(name)}</td><td>${escaped(text)}</td></tr>`;
}
