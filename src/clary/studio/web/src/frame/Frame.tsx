import AppLayout from "@cloudscape-design/components/app-layout";
import Box from "@cloudscape-design/components/box";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import Flashbar from "@cloudscape-design/components/flashbar";
import SideNavigation, { type SideNavigationProps } from "@cloudscape-design/components/side-navigation";
import Spinner from "@cloudscape-design/components/spinner";
import TopNavigation from "@cloudscape-design/components/top-navigation";
import { Suspense, useEffect, useMemo, useState } from "react";
import { Route, Routes, useHref, useLocation, useNavigate } from "react-router-dom";

import { Boundary } from "./Boundary";
import { CommandPalette } from "./CommandPalette";
import { useNotices } from "./notices";
import { NotFound } from "./NotFound";
import { GROUPS, PLACES } from "./places";
import { useFrame } from "./session";
import { applyTheme, savedTheme } from "./theme";
import { TrailContext, type Crumb } from "./trail";

/** The top bar, the navigation, the messages, and the page between them. */
export function Frame() {
  const { session, region, setRegion, signOut } = useFrame();
  const notices = useNotices();
  const navigate = useNavigate();
  const location = useLocation();
  const base = useHref("/").replace(/\/$/, "");
  const [theme, setTheme] = useState(savedTheme());
  const [open, setOpen] = useState(() => innerWidth > 900);
  useEffect(() => {
    const narrow = matchMedia("(max-width: 900px)");
    const change = () => setOpen(!narrow.matches);
    narrow.addEventListener("change", change);
    return () => narrow.removeEventListener("change", change);
  }, []);
  const [palette, setPalette] = useState(false);
  const [trail, setTrail] = useState<Crumb[]>([]);

  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPalette(true);
      }
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);

  useEffect(() => {
    const names = trail.map((crumb) => crumb.text).reverse();
    document.title = [...names, "Clary Studio"].join(" · ");
  }, [trail]);

  const items = useMemo<SideNavigationProps.Item[]>(() => {
    const sections = GROUPS.map((group) => ({
      type: "section-group" as const,
      title: group,
      items: PLACES.filter((place) => place.group === group).map((place) => ({
        type: "link" as const,
        text: place.title,
        href: base + place.path,
      })),
    })).filter((section) => section.items.length > 0);
    return [{ type: "link", text: "Home", href: `${base}/` }, { type: "divider" }, ...sections];
  }, [base]);

  const active = useMemo(() => {
    // A page that is below none of the navigation's, such as a group of users, stands below the last that leads to it.
    const paths = [location.pathname, ...trail.flatMap((crumb) => crumb.to?.split("?")[0] ?? []).reverse()];
    const known = PLACES.filter((place) => place.group).map((place) => place.path);
    for (const path of paths) {
      const best = known.filter((each) => path === each || path.startsWith(`${each}/`)).sort((a, b) => b.length - a.length)[0];
      if (best) return base + best;
    }
    return `${base}/`;
  }, [base, location.pathname, trail]);

  function follow(event: CustomEvent<{ href?: string; external?: boolean }>) {
    const href = event.detail.href;
    if (!href || event.detail.external) return;
    event.preventDefault();
    navigate(href.startsWith(base) ? href.slice(base.length) || "/" : href);
  }

  return (
    <>
      <div id="clary-top">
        <TopNavigation
          identity={{ href: `${base}/`, title: "Clary Studio", onFollow: follow as never }}
          utilities={[
            { type: "button", text: "Search", iconName: "search", ariaLabel: "Search (Ctrl+K)", onClick: () => setPalette(true) },
            {
              type: "menu-dropdown",
              text: region,
              ariaLabel: `Region ${region}`,
              items: session.regions.map((name) => ({ id: name, text: name })),
              onItemClick: ({ detail }) => setRegion(detail.id),
            },
            {
              type: "menu-dropdown",
              iconName: "settings",
              ariaLabel: "Appearance",
              items: (["light", "dark", "system"] as const).map((id) => ({
                id,
                text: { light: "Light", dark: "Dark", system: "As the system" }[id],
                itemType: "checkbox" as const,
                checked: theme === id,
              })),
              onItemClick: ({ detail }) => {
                const chosen = detail.id as "light" | "dark" | "system";
                applyTheme(chosen);
                setTheme(chosen);
              },
            },
            {
              type: "menu-dropdown",
              text: session.name,
              description: `${session.kind} · account ${session.account}`,
              iconName: "user-profile",
              items: [
                { id: "arn", text: session.arn, disabled: true },
                { id: "version", text: `Clary ${session.version}`, disabled: true },
                { id: "sign-out", text: "Sign out" },
              ],
              onItemClick: ({ detail }) => detail.id === "sign-out" && signOut(),
            },
          ]}
          i18nStrings={{ overflowMenuTriggerText: "More", overflowMenuTitleText: "All" }}
        />
      </div>
      <CommandPalette visible={palette} onDismiss={() => setPalette(false)} />
      <AppLayout
        headerSelector="#clary-top"
        toolsHide
        navigationOpen={open}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        navigation={
          <SideNavigation
            header={{ text: "Studio", href: `${base}/` }}
            activeHref={active}
            items={items}
            onFollow={follow as never}
          />
        }
        breadcrumbs={
          <BreadcrumbGroup
            items={[{ text: "Studio", href: `${base}/` }, ...trail.map((crumb) => ({ text: crumb.text, href: base + (crumb.to ?? location.pathname) }))]}
            onFollow={follow as never}
            ariaLabel="Breadcrumbs"
          />
        }
        notifications={<Flashbar items={notices.items} />}
        stickyNotifications
        ariaLabels={{
          navigation: "Navigation",
          navigationToggle: "Open the navigation",
          navigationClose: "Close the navigation",
          notifications: "Messages",
        }}
        content={
          <TrailContext.Provider value={setTrail}>
            <Boundary key={location.pathname}>
              <Suspense
                fallback={
                  <Box textAlign="center" padding="xxl">
                    <Spinner size="large" />
                  </Box>
                }
              >
                <Routes>
                  {PLACES.map((place) => (
                    <Route key={place.path} path={place.path} element={<place.page />} />
                  ))}
                  <Route path="*" element={<NotFound />} />
                </Routes>
              </Suspense>
            </Boundary>
          </TrailContext.Provider>
        }
      />
    </>
  );
}
