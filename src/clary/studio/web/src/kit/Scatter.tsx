import { colour, shown } from "./Chart";
import { useDrawing } from "./useDrawing";

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
  const { place } = useDrawing(
    ({ text: ink, line }) => {
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
      return {
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
        series: points.map((point) => ({
          name: point.name,
          type: "scatter",
          symbolSize: 12,
          label: { show: true, position: "top", color: ink, formatter: "{a}" },
          labelLayout: { hideOverlap: true },
          itemStyle: { color: colour(point.name, names.map((name) => ({ name }))) },
          data: log && point.x <= 0 ? [] : [[point.x, point.y]],
        })),
      };
    },
    [JSON.stringify([points, names]), xName, yName, log],
  );

  return <div className="clary-chart" ref={place} role="img" aria-label={`${label}. ${points.map((point) => `${point.name}: ${shown(point.x)}, ${shown(point.y)}`).join("; ") || "No data"}`} />;
}
