import Box from "@cloudscape-design/components/box";

import type { Matrix } from "./evaluation";

/** How often each class was taken for each: rows are what is true, columns what was predicted. */
export function ConfusionMatrix({ matrix }: { matrix: Matrix }) {
  return (
    <div>
      <Box variant="h3">Confusion matrix</Box>
      <div className="clary-matrix" tabIndex={0} role="region" aria-label="Confusion matrix">
        <table>
          <caption>Rows are the truth, columns the prediction</caption>
          <thead>
            <tr>
              <td />
              {matrix.labels.map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {matrix.labels.map((truth, row) => {
              const all = (matrix.counts[row] ?? []).reduce((sum, count) => sum + count, 0);
              return (
                <tr key={truth}>
                  <th scope="row">{truth}</th>
                  {(matrix.counts[row] ?? []).map((count, column) => {
                    const share = all > 0 ? count / all : 0;
                    return (
                      <td key={column} style={{ background: `color-mix(in srgb, var(--clary-${row === column ? "right" : "wrong"}) ${Math.round(share * 42)}%, transparent)` }}>
                        <b>{count.toLocaleString()}</b>
                        <small>{Math.round(100 * share)} %</small>
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}
