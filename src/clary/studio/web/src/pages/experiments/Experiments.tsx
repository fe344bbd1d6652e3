import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useNavigate } from "react-router-dom";

import { useTrail } from "../../frame/trail";
import { type SearchColumn, SearchTable } from "../../kit/SearchTable";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";

interface Experiment {
  ExperimentName: string;
  DisplayName?: string;
  Description?: string;
  CreationTime: number;
  LastModifiedTime?: number;
  CreatedBy?: { UserProfileName?: string };
}

const COLUMNS: SearchColumn<Experiment>[] = [
  {
    id: "name",
    label: "Name",
    header: "Name",
    property: "ExperimentName",
    isRowHeader: true,
    width: 340,
    cell: (row) => <To path={below("experiments", row.ExperimentName)}>{row.ExperimentName}</To>,
  },
  { id: "description", label: "Description", header: "Description", width: 420, cell: (row) => row.Description || "-" },
  { id: "created", label: "Created", header: "Created", property: "CreationTime", cell: (row) => <Time at={row.CreationTime} /> },
  { id: "changed", label: "Changed", header: "Changed", property: "LastModifiedTime", cell: (row) => <Time at={row.LastModifiedTime} /> },
];
const PROPERTIES = [
  { name: "ExperimentName", label: "Name" },
  { name: "Description", label: "Description" },
];

/** All experiments. */
export default function Experiments() {
  useTrail({ text: "Experiments" });
  const navigate = useNavigate();
  return (
    <SearchTable<Experiment>
      resource="Experiment"
      member="Experiment"
      fixed={[]}
      textProperty="ExperimentName"
      title="Experiments"
      variant="full-page"
      columns={() => COLUMNS}
      properties={() => PROPERTIES}
      identity={(row) => row.ExperimentName}
      actions={() => (
        <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/Experiment/create")}>
          Create experiment
        </Button>
      )}
      empty={
        <Box textAlign="center" padding="l" color="text-body-secondary">
          <SpaceBetween size="xs">
            <b>No experiments yet</b>
            <span>An experiment gathers runs, so that their parameters and metrics can be compared. The SDK makes one with Run(experiment_name=…).</span>
          </SpaceBetween>
        </Box>
      }
    />
  );
}
