import Tabs, { type TabsProps } from "@cloudscape-design/components/tabs";

import { useTab } from "./useTab";

/** The tabs of a page; which of them is open stands in the address. */
export function PageTabs({ tabs, label }: { tabs: TabsProps.Tab[]; label: string }) {
  const first = tabs[0]?.id ?? "";
  const [asked, choose] = useTab(first);
  const active = tabs.some((tab) => tab.id === asked) ? asked : first;
  return (
    <Tabs
      tabs={tabs}
      ariaLabel={label}
      activeTabId={active}
      onChange={({ detail }) => choose(detail.activeTabId)}
      i18nStrings={{ scrollLeftAriaLabel: "Earlier tabs", scrollRightAriaLabel: "Further tabs" }}
    />
  );
}
