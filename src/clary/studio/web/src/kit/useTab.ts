import { useSearchParams } from "react-router-dom";

/** The tab that is looked at, which stands in the address so that a link leads to it; `first` where none is named. */
export function useTab(first: string, member = "tab"): [string, (id: string) => void] {
  const [search, setSearch] = useSearchParams();
  return [
    search.get(member) ?? first,
    (id) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          if (id === first) after.delete(member);
          else after.set(member, id);
          return after;
        },
        { replace: true },
      ),
  ];
}
