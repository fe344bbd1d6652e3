import type { EChartsType } from "echarts/core";
import { type RefObject, useEffect, useRef } from "react";

import { isDark } from "../frame/theme";

/** The colours of what is neither a point nor a curve, in the theme that is shown now. */
export interface Ink {
  text: string;
  line: string;
  /** What it stands on. */
  page: string;
}

interface Drawing {
  /** The element that is drawn into. */
  place: RefObject<HTMLDivElement | null>;
  chart: RefObject<EChartsType | null>;
}

interface Options {
  /** What charts of this kind need of ECharts. */
  load?: () => Promise<{ init: (element: HTMLElement) => EChartsType }>;
  /** Whether what a person has done to the chart stays when it is drawn anew. */
  keep?: boolean;
  /** Told once, when the chart is there. */
  onReady?: (chart: EChartsType) => void;
}

const usual = () => import("./echarts");

/** A chart that is drawn anew when one of `keys` has changed, and when the theme or the room for it has. */
export function useDrawing(option: (ink: Ink) => Record<string, unknown>, keys: unknown[], { load = usual, keep = false, onReady }: Options = {}): Drawing {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);

  useEffect(() => {
    let gone = false;
    const element = place.current;
    if (!element) return;
    const resized = new ResizeObserver(() => chart.current?.resize());
    function draw() {
      if (gone || !chart.current) return;
      const ink = isDark() ? { text: "#c6d0dc", line: "#333f4d", page: "#161d26" } : { text: "#424650", line: "#e4e7eb", page: "#ffffff" };
      chart.current.setOption(option(ink), { notMerge: !keep });
    }
    void load().then(({ init }) => {
      if (gone) return;
      if (!chart.current) {
        chart.current = init(element);
        onReady?.(chart.current);
      }
      resized.observe(element);
      draw();
    });
    document.addEventListener("clary-theme", draw);
    return () => {
      gone = true;
      resized.disconnect();
      document.removeEventListener("clary-theme", draw);
    };
  }, keys);

  useEffect(() => () => chart.current?.dispose(), []);

  return { place, chart };
}
