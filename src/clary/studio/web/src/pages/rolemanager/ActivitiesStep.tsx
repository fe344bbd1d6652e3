import Checkbox from "@cloudscape-design/components/checkbox";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { StepProps } from "./RoleStep";
import { ValuesField } from "./ValuesField";
import { asked } from "./wish";

/** Step 2: what the role is for, and what that has to be told. */
export function ActivitiesStep({ known, form, onChange, problems }: StepProps) {
  const needed = asked(form, known);
  return (
    <SpaceBetween size="l">
      <Container header={<Header counter={`(${form.activities.length}/${known.Activities.length})`}>Activities</Header>}>
        <FormField errorText={problems["Activities"]} stretch>
          <ColumnLayout columns={2}>
            {known.Activities.map((activity) => (
              <Checkbox
                key={activity.Name}
                checked={form.activities.includes(activity.Name)}
                description={activity.Description}
                onChange={({ detail }) =>
                  onChange({ activities: detail.checked ? [...form.activities, activity.Name] : form.activities.filter((name) => name !== activity.Name) })
                }
              >
                {activity.Title}
              </Checkbox>
            ))}
          </ColumnLayout>
        </FormField>
      </Container>
      {needed.length > 0 && (
        <Container header={<Header description="What the activities are for; each that takes such values gets these">Resources</Header>}>
          <SpaceBetween size="m">
            {known.Parameters.flatMap((parameter) => {
              const wanted = needed.find(({ name }) => name === parameter.Name);
              return wanted
                ? [
                    <ValuesField
                      key={parameter.Name}
                      parameter={parameter}
                      optional={wanted.optional}
                      value={form.values[parameter.Name] ?? ""}
                      onChange={(text) => onChange({ values: { ...form.values, [parameter.Name]: text } })}
                      problem={problems[parameter.Name]}
                    />,
                  ]
                : [];
            })}
          </SpaceBetween>
        </Container>
      )}
    </SpaceBetween>
  );
}
