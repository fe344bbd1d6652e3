import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { Copy } from "../../kit/Copy";
import { Environment } from "../../kit/Environment";
import { shortImage } from "../../kit/names";
import { S3Link } from "../../kit/S3Link";
import { To } from "../../kit/To";
import { packagePath } from "../registry/package";
import { artifactsOf, type ContainerDefinition } from "./model";

/** What a model runs: images with their artifacts and variables. */
export function Containers({ containers }: { containers: ContainerDefinition[] }) {
  return (
    <SpaceBetween size="l">
      {containers.map((container, index) => {
        const from = container.ModelPackageName ?? "";
        const path = packagePath(from);
        const framework = [container.Framework, container.FrameworkVersion].filter(Boolean).join(" ");
        return (
          <Container
            key={index}
            header={<Header>{containers.length > 1 ? `Container ${index + 1}${container.ContainerHostname ? `: ${container.ContainerHostname}` : ""}` : "Container"}</Header>}
          >
            <SpaceBetween size="l">
              <KeyValuePairs
                columns={3}
                minColumnWidth={200}
                items={[
                  { label: "Image", value: <Copy text={container.Image} shown={shortImage(container.Image)} /> },
                  { label: "Artifacts", value: <S3Link uri={artifactsOf(container)} /> },
                  ...(from ? [{ label: "Model package", value: path ? <To path={path}>{from.split("/").slice(-2).join(" version ")}</To> : <Copy text={from} /> }] : []),
                  ...(framework ? [{ label: "Framework", value: framework }] : []),
                  ...(container.Mode ? [{ label: "Mode", value: container.Mode === "SingleModel" ? "One model" : "Many models" }] : []),
                ]}
              />
              <Environment variables={container.Environment} />
            </SpaceBetween>
          </Container>
        );
      })}
    </SpaceBetween>
  );
}
