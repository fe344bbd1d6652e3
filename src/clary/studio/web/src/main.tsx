import "@cloudscape-design/global-styles/index.css";
import "virtual:clary-theme.css";
import "./styles.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router-dom";

import { App } from "./frame/App";
import { applyTheme, savedTheme } from "./frame/theme";

applyTheme(savedTheme());

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <BrowserRouter basename={new URL(document.baseURI).pathname.replace(/\/$/, "")}>
      <App />
    </BrowserRouter>
  </StrictMode>,
);
