import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMemo } from "react";

import { Against } from "./charts/Against";
import { Importances } from "./charts/Importances";
import { Parallel } from "./charts/Parallel";
import { Progress } from "./charts/Progress";
import { type ChosenDefinition, DefinitionSelect } from "./DefinitionSelect";
import { dimensionsOf } from "./dimensions";
import type { Trial } from "./tuning";

interface Props extends ChosenDefinition {
  trials: Trial[];
  best: string | undefined;
  ended: boolean;
}

const HALF = { colspan: { default: 12, m: 6 } };

/** How the search went, and what each hyperparameter did to the objective. */
export function Charts({ trials, best, ended, ...chosen }: Props) {
  const { definitions, definition } = chosen;
  const only = definitions.length === 1 ? definitions[0] : definitions.find(({ name }) => name === definition);
  const looked = useMemo(() => trials.filter((trial) => !definition || trial.definition === definition), [trials, definition]);
  const dimensions = useMemo(() => (only ? dimensionsOf(only.ranges) : []), [only]);
  const objective = (only ?? definitions[0])?.objective;
  if (!objective) return null;
  if (looked.every((trial) => trial.value === undefined)) {
    return (
      <SpaceBetween size="m">
        <DefinitionSelect {...chosen} />
        <Box textAlign="center" padding="l" color="text-body-secondary">
          {ended ? "No training job ended with a value of the objective" : "Charts appear when the first training job has ended with a value of the objective"}
        </Box>
      </SpaceBetween>
    );
  }
  // Where they differ, no metric names them all.
  const metric = only || new Set(definitions.map((each) => each.objective.MetricName)).size === 1 ? objective.MetricName : "Objective";
  const shared = { trials: looked, best, direction: objective.Type, metric };
  return (
    <SpaceBetween size="l">
      <DefinitionSelect {...chosen} />
      <Container>
        <Progress {...shared} />
      </Container>
      {only && (
        <Container>
          <Parallel key={only.name} dimensions={dimensions} {...shared} />
        </Container>
      )}
      {only && (
        <Grid gridDefinition={[HALF, HALF]}>
          <Container fitHeight>
            <Importances dimensions={dimensions} {...shared} />
          </Container>
          <Container fitHeight>
            <Against dimensions={dimensions} {...shared} />
          </Container>
        </Grid>
      )}
      {!only && (
        <Box textAlign="center" padding="l" color="text-body-secondary">
          Choose a definition to see what its hyperparameters did
        </Box>
      )}
    </SpaceBetween>
  );
}
