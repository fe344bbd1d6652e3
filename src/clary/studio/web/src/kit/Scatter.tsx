import type { EChartsType } from "echarts/core";
import { useEffect, useRef } from "react";

import { isDark } from "../frame/theme";
import { colour, shown } from "./Chart";

interface Props {
  /** What is shown, for those who cannot see it. */
  label: string;
  points: { name: string; x: number; y: number }[];
  /** All names that colours are given to, so that they are those of other charts. */
  names: string[];
  xName: string;
  yName: string;
  log: boolean;
}

/** One point for each name: what it was given against what it reached. */
export function Scatter({ label, points, names, xName, yName, log }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);
  const drawn = JSON.stringify([points, names]);

  useEffect(() => {
    let gone = false;
    const element = place.current;
    if (!element) return;
    const resized = new ResizeObserver(() => chart.current?.resize());
    function draw() {
      if (gone || !chart.current) return;
      const [shownPoints, all] = JSON.parse(drawn) as [Props["points"], string[]];
      const ink = isDark() ? "#c6d0dc" : "#424650";
      const line = isDark() ? "#333f4d" : "#e4e7eb";
      const axis = {
        scale: true,
        // Room for the points at the edges and their names.
        boundaryGap: ["8%", "12%"],
        nameLocation: "middle",
        nameTextStyle: { color: ink },
        axisLine: { lineStyle: { color: line } },
        splitLine: { lineStyle: { color: line } },
        axisLabel: { color: ink, formatter: shown },
      };
      chart.current.setOption(
        {
          animation: false,
          grid: { left: 72, right: 24, top: 28, bottom: 48 },
          tooltip: {
            trigger: "item",
            confine: true,
            // Names are what people wrote; as HTML they would be more than a name.
            renderMode: "richText",
            formatter: ({ seriesName, data }: { seriesName: string; data: [number, number] }) =>
              `${seriesName}\n${xName} ${shown(data[0])}\n${yName} ${shown(data[1])}`,
          },
          xAxis: { type: log ? "log" : "value", name: xName, nameGap: 30, ...axis },
          yAxis: { type: "value", name: yName, nameGap: 54, ...axis },
          series: shownPoints.map((point) => ({
            name: point.name,
            type: "scatter",
            symbolSize: 12,
            label: { show: true, position: "top", color: ink, formatter: "{a}" },
            labelLayout: { hideOverlap: true },
            itemStyle: { color: colour(point.name, all.map((name) => ({ name }))) },
            data: log && point.x <= 0 ? [] : [[point.x, point.y]],
          })),
        },
        { notMerge: true },
      );
    }
    void import("./echarts").then(({ init }) => {
      if (gone) return;
      chart.current ??= init(element);
      resized.observe(element);
      draw();
    });
    document.addEventListener("clary-theme", draw);
    return () => {
      gone = true;
      resized.disconnect();
      document.removeEventListener("clary-theme", draw);
    };
  }, [drawn, xName, yName, log]);

  useEffect(() => () => chart.current?.dispose(), []);

  return <div className="clary-chart" ref={place} role="img" aria-label={`${label}. ${points.map((point) => `${point.name}: ${shown(point.x)}, ${shown(point.y)}`).join("; ") || "No data"}`} />;
}
