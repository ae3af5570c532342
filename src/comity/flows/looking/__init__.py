"""What people look at: views, stories, duties, musters, evidence."""
