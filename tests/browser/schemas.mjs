// Holds JSON against clients/wallboard/web/public/api/v1/openapi.json.
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const file = new URL("../../clients/wallboard/web/public/api/v1/openapi.json", import.meta.url);
export const openapi = JSON.parse(readFileSync(file, "utf8"));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(openapi, "openapi");

/// Throws with every difference between `content` and the schema of that name.
export function assertShape(name, content) {
  const validate = ajv.getSchema(`openapi#/components/schemas/${name}`);
  if (!validate) throw new Error(`openapi.json has no schema ${name}`);
  if (!validate(content)) throw new Error(`${name}: ${ajv.errorsText(validate.errors, { separator: "\n" })}`);
}

/// The schema's name of each event of the stream.
export const eventSchemas = Object.fromEntries(
  Object.entries(openapi.paths["/api/v1/stream"].get.responses["200"].content["text/event-stream"]["x-events"]).map(
    ([event, { $ref }]) => [event, $ref.split("/").pop()],
  ),
);
