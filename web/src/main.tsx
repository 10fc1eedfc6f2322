import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/components.css";
import "./styles/pages.css";
import "./styles/studies.css";
import { render } from "preact";
import { startFollowing } from "./api/live.ts";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root !== null) {
  startFollowing();
  render(<App />, root);
}
