//! The jobs of the embedded stack as they are listed page by page, or by a text.

use super::redis::{failed, open_jobs, queue_named};
use super::sim::Sim;
use crate::core::redis::{JOBS_A_PAGE, JobPage, JobState, Listing, PageJob, QueueRef};

/// What a real queue of the same jobs would list. Completed jobs of the embedded stack are numbers, not jobs.
pub(super) fn listed(sim: &Sim, queue: &QueueRef, listing: &Listing) -> JobPage {
    let failures = sim.failed.iter().rev().filter(|_| queue.name == super::redis::MAILS).map(|job| {
        let job = failed(sim, job);
        PageJob {
            id: job.id,
            name: job.name,
            state: JobState::Failed,
            age: job.age,
            note: job.reason,
            ghost: false,
        }
    });
    let open = open_jobs(sim, queue).jobs.into_iter().map(|job| PageJob {
        id: job.id,
        name: job.name,
        state: job.state,
        age: job.age,
        note: String::new(),
        ghost: false,
    });
    let all: Vec<PageJob> = failures.chain(open).collect();
    let reading = queue_named(sim, queue);
    let (jobs, there) = match listing {
        Listing::State { state, offset } => {
            let there = reading.map_or(0, |reading| match state {
                JobState::Failed => reading.failed,
                JobState::Active => reading.active,
                JobState::Waiting => reading.waiting,
                JobState::Prioritized => reading.prioritized,
                JobState::Delayed => reading.delayed,
                JobState::WaitingChildren => reading.waiting_children,
                JobState::Completed => reading.completed,
                JobState::Lost => 0,
            });
            let page = all.into_iter().filter(|job| job.state == *state).skip(*offset as usize);
            (page.take(JOBS_A_PAGE as usize).collect::<Vec<_>>(), there)
        }
        Listing::Text(words) => {
            let (words, there) = (words.to_lowercase(), all.len() as u64);
            let holds = |text: &str| text.to_lowercase().contains(&words);
            let found = all
                .into_iter()
                .filter(|job| [&job.id, &job.name, &job.note].into_iter().any(|text| holds(text)));
            (found.collect(), there)
        }
    };
    let looked_at = if matches!(listing, Listing::Text(_)) { there } else { jobs.len() as u64 };
    JobPage {
        queue: queue.clone(),
        listing: listing.clone(),
        jobs,
        there,
        looked_at,
        too_large: 0,
        whole: true,
    }
}
