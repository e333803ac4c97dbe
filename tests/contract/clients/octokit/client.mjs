// Drives octokit as a stranger's script would; prints what it saw as one JSON object.
import { Octokit } from "octokit";

const [baseUrl, owner, repo, task] = process.argv.slice(2);
const octokit = new Octokit({ baseUrl, auth: process.env.TOKEN, throttle: { enabled: false }, retry: { enabled: false } });
const here = { owner, repo };

const tasks = {
  async issues() {
    const listed = await octokit.paginate(octokit.rest.issues.listForRepo, { ...here, per_page: 1 });
    const made = await octokit.rest.issues.create({ ...here, title: "Search", body: "By words" });
    const issue_number = made.data.number;
    const comment = await octokit.rest.issues.createComment({ ...here, issue_number, body: "/loop go" });
    await octokit.rest.reactions.createForIssueComment({ ...here, comment_id: comment.data.id, content: "eyes" });
    const labels = await octokit.rest.issues.addLabels({ ...here, issue_number, labels: ["autonomous-loop"] });
    const events = await octokit.rest.issues.listEvents({ ...here, issue_number });
    return {
      listed: listed.map((one) => one.title),
      number: issue_number,
      labels: labels.data.map((one) => one.name),
      events: events.data.map((one) => [one.event, one.actor.login]),
    };
  },
  async dispatch() {
    const started = await octokit.rest.actions.createWorkflowDispatch({
      ...here, workflow_id: "loop.yml", ref: "main", inputs: { issue: "7" },
    });
    return { status: started.status };
  },
  async runs() {
    const { data } = await octokit.rest.actions.listWorkflowRunsForRepo({ ...here, event: "workflow_dispatch" });
    const run_id = data.workflow_runs[0].id;
    const jobs = await octokit.rest.actions.listJobsForWorkflowRun({ ...here, run_id });
    const log = await octokit.rest.actions.downloadJobLogsForWorkflowRun({ ...here, job_id: jobs.data.jobs[0].id });
    const artifacts = await octokit.rest.actions.listWorkflowRunArtifacts({ ...here, run_id });
    return {
      conclusion: data.workflow_runs[0].conclusion,
      jobs: jobs.data.jobs.map((one) => [one.name, one.conclusion]),
      log: String(log.data),
      artifacts: artifacts.data.total_count,
    };
  },
  async pull() {
    const { data } = await octokit.rest.pulls.get({ ...here, pull_number: 2 });
    const files = await octokit.rest.pulls.listFiles({ ...here, pull_number: 2 });
    const permission = await octokit.rest.repos.getCollaboratorPermissionLevel({ ...here, username: "octo" });
    const asked = await octokit.graphql(
      "query($owner: String!, $repo: String!) { repository(owner: $owner, name: $repo) { pullRequest(number: 2) { isDraft } } }",
      here,
    );
    return {
      title: data.title,
      files: files.data.map((one) => [one.filename, one.status]),
      permission: permission.data.permission,
      draft: asked.repository.pullRequest.isDraft,
    };
  },
  async refused() {
    try {
      await octokit.rest.issues.addLabels({ ...here, issue_number: 1, labels: ["autonomous-loop"] });
    } catch (error) {
      return { status: error.status, message: error.response.data.message };
    }
    return { status: 0 };
  },
};
process.stdout.write(JSON.stringify(await tasks[task]()));
