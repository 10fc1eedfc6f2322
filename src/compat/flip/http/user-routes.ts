import { z } from "zod";
import { addMember, createUser, findUser, listUsers, updateUser } from "../users.ts";
import { type Route, route } from "./route.ts";
import { schemas } from "./schemas.ts";

const tag = "Users";

export const userRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/users",
    tag,
    name: "get_users",
    summary: "Get XNAT Users",
    answer: z.array(schemas.User),
    handle: (_, { xnat, signal }) => listUsers(xnat, signal),
  }),
  route({
    method: "POST",
    path: "/users",
    tag,
    name: "create_user_endpoint",
    summary: "Create XNAT User",
    body: schemas.CreateUser,
    answer: schemas.User,
    handle: ({ body }, { xnat, signal }) => createUser(xnat, body, signal),
  }),
  route({
    method: "PUT",
    path: "/users",
    tag,
    name: "update_user_profile",
    summary: "Update XNAT User",
    body: schemas.UpdateUser,
    answer: schemas.User,
    handle: ({ body }, { xnat, signal }) => updateUser(xnat, body, signal),
  }),
  route({
    method: "PUT",
    path: "/users/add-to-project/{username}/{project_id}",
    tag,
    name: "add_user_to_project_endpoint",
    summary: "Add User to Project",
    params: z.object({ username: z.string(), project_id: z.string() }),
    answer: schemas.User,
    async handle({ path: { username, project_id } }, { xnat, signal }) {
      const found = await findUser(xnat, "username", username, signal);
      await addMember(xnat, found, project_id, signal);
      return found;
    },
  }),
];
