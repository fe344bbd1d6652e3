import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router-dom";

import { useFrame } from "../../frame/session";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { Loading } from "../../kit/Loading";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { deployPath } from "../models/deployment";
import { type CompareRow, compared } from "./comparison";
import { qualityOf, readFiles } from "./metrics";
import { describePackage, packageArn } from "./package";

const MOST = 4;

/** Versions of a model side by side, with what tells them apart marked. */
export default function Compare() {
  const { group = "" } = useParams();
  const [search] = useSearchParams();
  const { session, region } = useFrame();
  const navigate = useNavigate();
  const [differing, setDiffering] = useState(false);
  const versions = (search.get("versions") ?? "").split(",").filter((each) => /^\d+$/.test(each)).slice(0, MOST);
  useTrail({ text: "Model registry", to: "/model-registry" }, { text: group, to: below("model-registry", group) }, { text: "Compare" });
  const found = usePolling(
    (signal) =>
      Promise.all(
        versions.map(async (version) => {
          const described = await describePackage(packageArn(region, session.account, group, version), signal);
          return { described, quality: qualityOf(await readFiles(described.ModelMetrics, signal)) };
        }),
      ),
    [group, versions],
  );
  if (found.error && !found.value) return <Failure page={`Compare versions of ${group}`} what="The versions cannot be compared" error={found.error} again={found.again} />;
  if (!found.value) return <Loading page={`Compare versions of ${group}`} />;
  const sections = compared(found.value);
  const differences = sections.flatMap((section) => section.rows).filter((row) => row.differs).length;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          counter={`(${versions.length})`}
          description={`${differences} ${differences === 1 ? "row tells" : "rows tell"} them apart`}
          actions={<Button onClick={() => navigate(below("model-registry", group))}>Choose other versions</Button>}
        >
          Compare versions of {group}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <Toggle checked={differing} onChange={({ detail }) => setDiffering(detail.checked)}>
          Only what differs
        </Toggle>
        <div className="clary-compare" tabIndex={0} role="region" aria-label={`Versions of ${group} side by side`}>
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <Box fontWeight="bold">What</Box>
                </th>
                {versions.map((version) => (
                  <th key={version} scope="col">
                    <SpaceBetween size="xxs">
                      <To path={below("model-registry", group, version)}>{`Version ${version}`}</To>
                      <Button variant="inline-link" ariaLabel={`Deploy version ${version}`} onClick={() => navigate(deployPath({ package: packageArn(region, session.account, group, version) }))}>
                        Deploy
                      </Button>
                    </SpaceBetween>
                  </th>
                ))}
              </tr>
            </thead>
            {sections.map((section) => {
              const rows = section.rows.filter((row) => row.differs || !differing);
              if (rows.length === 0) return null;
              return (
                <tbody key={section.title}>
                  <tr>
                    <th scope="rowgroup" colSpan={versions.length + 1} className="clary-compare-section">
                      {section.title}
                    </th>
                  </tr>
                  {rows.map((row) => (
                    <Row key={row.name} row={row} />
                  ))}
                </tbody>
              );
            })}
          </table>
          {differing && differences === 0 && <Box padding="l">Nothing tells them apart.</Box>}
        </div>
      </SpaceBetween>
    </ContentLayout>
  );
}

function Row({ row }: { row: CompareRow }) {
  return (
    <tr className={row.differs ? "clary-differs" : ""}>
      <th scope="row">
        {row.name}
        {row.differs && <> <small>differs</small></>}
      </th>
      {row.cells.map((cell, index) => (
        <td key={index}>
          {cell}
          {row.best === index && <> <small className="clary-best">best</small></>}
        </td>
      ))}
    </tr>
  );
}
